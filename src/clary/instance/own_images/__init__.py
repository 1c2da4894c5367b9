"""Container images of users' own: read, unpacked once, laid over each other, and put around a program."""
