"""The proxy of `clary run`: one program's way to the internet, on which every AWS address is the platform.

    program ── CONNECT sts.us-east-1.amazonaws.com:443 ──► server.py
        an AWS name (addresses.py) ──► TLS ends here, with a certificate that the local authority
                                       (authority.py) makes for the name ──► the same bytes to the platform,
                                       which reads `Host` and checks the signature that was made for it
        any other name ──────────────► a tunnel, through the user's own proxy if there is one (outside.py)

It lives in the process of `clary run` and ends with the program.
"""
