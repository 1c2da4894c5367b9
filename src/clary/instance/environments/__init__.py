"""Python environments of framework images, and the layers that a `requirements.txt` puts over them."""
