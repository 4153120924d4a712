"""What is handed to people and to other tools: tasks, audiences and the arms of a journey."""
