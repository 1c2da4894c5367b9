"""What operators ask of a platform beyond what AWS has, for the command line: signed for `clary`."""

from clary.control.operations import Operations

operation = Operations("clary")
