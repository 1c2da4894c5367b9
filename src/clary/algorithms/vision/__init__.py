"""What the algorithms on images share: how images and their labels come, and what is done to them on the way."""
