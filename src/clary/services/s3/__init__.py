"""Amazon S3 over the embedded object store.

    call ─▶ handler(store, call, request) ─▶ store.view / store.change of functions of `clary.objects` ─▶
    answer

Handlers are by family: `buckets`, `documents` (what is kept about a bucket), `objects`, `copying`,
`multipart`, `listing`, `tagging`, `access` (lists of grants), `locking`, `restoring`. What hangs on the bucket
(`ownership`, `encryption`, `locking`) is read from `store.documents`, in memory. A key is bytes from its first
check on (`names.key_of`), and never a path.

Every call is asked first whether its caller may (`authorization`): explicit denials of the bucket's policy and of
the caller's role hold, and whoever did not sign gets only what a policy or a list opens to everybody.
The platform's own reads and writes for jobs (channels, models, outputs) go to the store and are not asked.

After a change, whoever the bucket's notifications name is told (`announcing`), by a `Destination` of `House`. No
service of Clary takes events yet: EventBridge's are kept as a wish, and a queue, topic or function is refused as AWS
refuses one that is not there, unless the request skips that check. Nothing is sent, and no test event made up.

Lifecycle rules are swept up each hour (`lifecycle`). Kept and returned, but not acted on: their transitions, logging
and acceleration (`settings`), and the encryption that a client asks for. Encrypt the disk under the state directory
where bodies must be encrypted at rest. An archived object (GLACIER, DEEP_ARCHIVE) is read only once it was restored,
which takes no time.
"""

from clary.control.operations import Operations

operation = Operations("s3")
