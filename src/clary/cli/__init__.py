"""The command line: one module a command, put together by `main.py`.

    clary up ──► up.py ──► clary.app.run           (the only command that imports the platform)
                   └ --detach ──► launch.py ──► a process of its own session
    clary env, run ──► environment.py ──► what a client needs, as exports or for one program
              run ──► proxy/ ──► every AWS address, answered by the platform
    clary status, logs ──► api.py ──► signed calls to the platform, as any client makes them
    clary down ──► SIGTERM

All of them find a platform by its state directory, through `platforms.py`. A command's module imports at its
top only what `--help` needs; the rest is imported when the command runs, so that short commands stay short.
"""
