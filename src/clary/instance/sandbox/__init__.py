"""What holds a program: the sandbox, its user, its limits, and what of the kernel it is refused."""
