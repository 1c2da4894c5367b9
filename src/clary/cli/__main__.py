"""`python -m clary.cli`, the form in which `clary up --detach` starts the platform's process."""

from clary.cli.main import main

main()
