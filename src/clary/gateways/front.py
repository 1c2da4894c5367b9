"""Which requests a gateway answers itself: signed invocations of endpoints whose route it knows, if that is enough.

Decided by the first bytes of a request, before anything of it is parsed or believed: whoever is let in here by mistake
is refused by the request path, and what is handed on to the platform is answered there, whatever it is.
"""

from clary.records.record import Scope
from clary.routing.router import NoSuchEndpoint, Router

_START = b"POST /endpoints/"
_PATHS = (b"/invocations ", b"/invocations-response-stream ")
_LONGEST_NAME = 63
_CREDENTIAL = b"Credential="
_SERVICE = b"sagemaker"


def may_answer(target: str) -> bool:
    """Whether a request that the platform got is one that a gateway may answer, now or later."""
    return target.startswith("/endpoints/")


class Front:
    def __init__(self, router: Router, account: str) -> None:
        self._router = router
        self._account = account

    def answers(self, received: bytes) -> bool:
        if not received.startswith(_START):
            return False
        name_end = received.find(b"/", len(_START), len(_START) + _LONGEST_NAME + 1)
        head_end = received.find(b"\r\n\r\n")
        if name_end < 0 or head_end < 0 or not received.startswith(_PATHS, name_end):
            return False
        begin = received.find(_CREDENTIAL, name_end, head_end)
        # AKIA…/20260131/us-east-1/sagemaker/aws4_request
        scope = received[begin : received.find(b",", begin, head_end)].split(b"/")
        if begin < 0 or len(scope) != 5 or scope[3] != _SERVICE:
            return False
        return self.knows(scope[2].decode("latin-1"), received[len(_START) : name_end].decode("latin-1"))

    def knows(self, region: str, endpoint: str) -> bool:
        try:
            return self._router.find(Scope(self._account, region), endpoint).answered_anywhere
        except NoSuchEndpoint:
            return False
