DEVIATIONS = set()


class SeaweedFS: ...
