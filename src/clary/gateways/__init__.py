"""Processes that answer invocations beside the platform, on the same port.

    listening socket ─┬─ gateway ─ an invocation whose route it knows ─▶ replica
     (one, shared)    └─ gateway ─ whatever else: the connection itself ══▶ platform

                 forked by                  routes ▶ ◀ heard, traffic, replicas that are down
    platform ─▶ keeper ─▶ gateways          platform ◀──── Channel ────▶ gateway

All accept from one socket, so that a connection that waits to be accepted by one that is killed is accepted by
another: what waits at a listener of its own (SO_REUSEPORT) is lost with it. The platform tells every gateway of a
change and goes on when all have heard of it. Gateways end with the platform, by the end of their channel. One that
ends before is replaced.
"""
