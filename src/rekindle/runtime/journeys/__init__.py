"""What a team does with a journey: plan, replay, start, steer it, and ask what it earned."""
