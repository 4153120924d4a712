"""Any gateway that takes one HTTP request a message, as the settings describe it."""
