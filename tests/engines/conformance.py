"""What every engine does, shown by real programs. A test class of an engine inherits `EngineTestCase` and gives the
fixture `reopen`; nothing here knows how the engine runs an instance."""

import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.engines.base import Engine
from clary.instance.spec import Archive, InstanceSpec, Source
from tests.engines.exchange import Exchange, exchange_of
from tests.engines.instances import PATIENCE, Watch, program, texts

MODEL = ("model.tar.gz", "/opt/ml/model")
SAVES_ON_SIGTERM = (
    "def save(*_):\n"
    "    open(f'{BASE}/model/checkpoint', 'w').write('saved')\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, save)\n"
    "print('ready')\n"
    "time.sleep(60)\n"
)
IGNORES_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\ntime.sleep(60)\n"

NEIGHBOUR = (
    "import socket, threading\n"
    "own, found = socket.gethostname(), []\n"
    "server = socket.create_server((socket.gethostbyname(own), 7777))\n"
    "def answer():\n"
    "    while True:\n"
    "        server.accept()[0].sendall(own.encode())\n"
    "threading.Thread(target=answer, daemon=True).start()\n"
    "for name in ('algo-1', 'algo-2', 'algo-3'):\n"
    "    deadline = time.time() + 20\n"
    "    while True:\n"
    "        try:\n"
    "            found.append(socket.create_connection((name, 7777), 5).recv(99).decode())\n"
    "            break\n"
    "        except ConnectionRefusedError:\n"
    "            assert time.time() < deadline\n"
    "            time.sleep(0.05)\n"
    "print(found)\n"
    "time.sleep(3)\n"
)
"""Stays for a while, for those that come later."""
OUT = (
    "def out(address):\n"
    "    try:\n"
    "        socket.create_connection(address, 5).close()\n"
    "    except OSError as error:\n"
    "        return error.strerror\n"
    "print(out(('127.0.0.1', {port})), out(('192.0.2.1', 80)))\n"
)


class EngineTestCase:
    resolves_names = True
    """Whether programs find the instances of their gang by name."""
    own_networks = False
    """Whether each instance of a gang has a network of its own."""
    model_is_mounted = False
    """Whether `/opt/ml/model` is a mount, which a program cannot replace."""
    many = 50
    """Instances that this machine can start at once."""
    patience = PATIENCE
    """Seconds in which what a test waits for has surely happened."""
    start_seconds = 1.0
    """In which a program has surely begun to run, once its instance is `Running`."""

    def program(self, source: str, **fields: Any) -> InstanceSpec:
        """An instance of this engine that runs Python `source`, as `instances.program`."""
        return program(source, **fields)

    @pytest.fixture
    def reopen(self) -> Callable[[], Engine]:
        """Makes a new engine over the same state, as a platform does that was restarted."""
        raise NotImplementedError

    @pytest.fixture
    def engine(self, reopen: Callable[[], Engine]) -> Engine:
        return reopen()

    @pytest.fixture
    def exchange(self, engine: Engine, tmp_path: Path) -> Iterator[Exchange]:
        with exchange_of(engine, tmp_path / "exchange") as exchange:
            yield exchange

    @pytest.fixture
    def watch(self, engine: Engine) -> Watch:
        return Watch(engine, self.patience)

    def test_runs_a_program_through_its_phases(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        spec = self.program("print('hello')\nprint('world', file=sys.stderr)", outputs=[exchange.output(*MODEL)])
        before = time.time()
        status = watch.run(spec)
        assert (status.outcome, status.exit_code, status.reason) == ("Completed", 0, "")
        assert list(status.entered) == ["Starting", "Downloading", "Running", "Uploading", "Done"]
        times = list(status.entered.values())
        assert times == sorted(times)
        assert before - 1 < times[0] <= times[-1] < time.time() + 1
        assert texts(engine, spec)[-2:] == ["hello", "world"]

    def test_unknown_instances_are_key_errors(self, engine: Engine) -> None:
        for ask in (engine.poll, engine.stop, engine.address, engine.release):
            with pytest.raises(KeyError):
                ask("never-started")
        with pytest.raises(KeyError):
            engine.logs("never-started", 0)
        with pytest.raises(KeyError):
            engine.output("never-started", "model.tar.gz")

    def test_start_is_idempotent(self, engine: Engine, watch: Watch, reopen: Callable[[], Engine]) -> None:
        spec = self.program("print('once')")
        engine.start([spec])
        engine.start([spec])
        watch.done(spec)
        reopen().start([spec])
        assert texts(engine, spec).count("once") == 1

    def test_a_gang_finds_each_other_by_name(self, engine: Engine, watch: Watch) -> None:
        """Each listens on the same port of its own name, and asks every other for its own."""
        self._need_names()
        gang = [self.program(NEIGHBOUR, hostname=f"algo-{number}") for number in (1, 2, 3)]
        engine.start(gang)
        for spec in gang:
            status = watch.done(spec)
            assert status.outcome == "Completed", status.reason
            assert texts(engine, spec)[-1] == "['algo-1', 'algo-2', 'algo-3']"

    def test_each_of_a_gang_may_listen_on_all_its_addresses(self, engine: Engine, watch: Watch) -> None:
        """As programs do that know nothing of each other."""
        self._need_networks()
        source = NEIGHBOUR.replace("(socket.gethostbyname(own), 7777)", "('0.0.0.0', 7777)")
        gang = [self.program(source, hostname=f"algo-{number}") for number in (1, 2, 3)]
        engine.start(gang)
        for spec in gang:
            assert watch.done(spec).outcome == "Completed"
            assert texts(engine, spec)[-1] == "['algo-1', 'algo-2', 'algo-3']"

    def test_an_isolated_gang_reaches_its_own_and_nobody_else(self, engine: Engine, watch: Watch) -> None:
        self._need_networks()
        with socket.create_server(("127.0.0.1", 0)) as server:
            source = NEIGHBOUR + OUT.format(port=server.getsockname()[1])
            gang = [self.program(source, hostname=f"algo-{number}", isolated=True) for number in (1, 2, 3)]
            engine.start(gang)
            for spec in gang:
                assert watch.done(spec).outcome == "Completed"
                assert texts(engine, spec)[-2:] == [
                    "['algo-1', 'algo-2', 'algo-3']",
                    "Connection refused Network is unreachable",
                ]

    def test_a_gang_that_was_cut_in_half_is_made_whole(
        self, engine: Engine, watch: Watch, reopen: Callable[[], Engine]
    ) -> None:
        self._need_names()
        gang = [self.program(NEIGHBOUR, hostname=f"algo-{number}") for number in (1, 2, 3)]
        engine.start(gang)
        engine.release(gang[1].id)
        reopen().start(gang)
        for spec in gang:
            assert watch.done(spec).outcome == "Completed"

    def _need_names(self) -> None:
        if not self.resolves_names:
            pytest.skip("names of a gang cannot be given to a program without a sandbox")

    def _need_networks(self) -> None:
        if not self.own_networks:
            pytest.skip("instances have no networks of their own here")

    def test_environment_and_working_directory(self, engine: Engine, watch: Watch) -> None:
        spec = self.program(
            "print(os.environ['COLOUR'], os.path.relpath(os.getcwd(), BASE))\n"
            "print(open(os.environ['SETTINGS']).read())",
            environment={"COLOUR": "green", "SETTINGS": "/opt/ml/input/config/settings.json"},
            workdir="/opt/ml/code",
            files={"/opt/ml/input/config/settings.json": '{"é": 1}'},
        )
        assert watch.run(spec).outcome == "Completed"
        assert texts(engine, spec)[-2:] == ["green code", '{"é": 1}']

    def test_the_platforms_environment_stays_with_it(
        self, engine: Engine, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLARY_TEST_SECRET", "the-platforms-secret")
        spec = self.program("print('CLARY_TEST_SECRET' in os.environ)")
        watch.run(spec)
        assert texts(engine, spec)[-1] == "False"

    def test_channels_are_writable_and_the_store_unharmed(
        self, exchange: Exchange, engine: Engine, watch: Watch, tmp_path: Path
    ) -> None:
        body = tmp_path / "body"
        body.write_text("stored")
        body.chmod(0o444)
        spec = self.program(
            "path = f'{BASE}/input/data/train/deep/run.sh'\n"
            "print(open(path).read())\n"
            "os.chmod(path, 0o755)\n"
            "open(path, 'w').write('changed')\n"
            "print(open(path).read(), sorted(os.listdir(f'{BASE}/input/data/train')))",
            channels={
                "/opt/ml/input/data/train": [
                    Source("deep/run.sh", exchange.location(body), 6),
                    Source("empty/", exchange.location(body), 0),
                ]
            },
        )
        assert watch.run(spec).outcome == "Completed"
        assert texts(engine, spec)[-2:] == ["stored", "changed ['deep', 'empty']"]
        assert body.read_text() == "stored"
        assert body.stat().st_mode & 0o777 == 0o444

    def test_a_key_that_is_file_and_directory_fails(self, exchange: Exchange, watch: Watch, tmp_path: Path) -> None:
        body = tmp_path / "body"
        body.write_text("x")
        sources = [Source("a", exchange.location(body), 1), Source("a/b", exchange.location(body), 1)]
        status = watch.run(self.program("", channels={"/opt/ml/input/data/train": sources}))
        assert status.outcome == "Failed"
        assert "'a'" in status.reason
        assert "'a/b'" in status.reason

    @pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside", "..", "nul\0byte"])
    def test_names_may_not_leave_their_channel(
        self, exchange: Exchange, watch: Watch, tmp_path: Path, name: str
    ) -> None:
        body = tmp_path / "body"
        body.write_text("x")
        status = watch.run(
            self.program("", channels={"/opt/ml/input/data/train": [Source(name, exchange.location(body), 1)]})
        )
        assert status.outcome == "Failed"
        assert "cannot be the name of a file" in status.reason

    def test_a_missing_object_fails(self, exchange: Exchange, watch: Watch, tmp_path: Path) -> None:
        sources = [Source("rows.csv", exchange.location(tmp_path / "nothing"), 3)]
        status = watch.run(self.program("", channels={"/opt/ml/input/data/train": sources}))
        assert status.outcome == "Failed"
        assert "rows.csv" in status.reason

    def test_unpacks_archives(self, exchange: Exchange, engine: Engine, watch: Watch, tmp_path: Path) -> None:
        (tmp_path / "train.py").write_text("print('from the archive')")
        with tarfile.open(tmp_path / "source.tar.gz", "w:gz") as tar:
            tar.add(tmp_path / "train.py", "train.py")
        spec = self.program(
            "exec(open(f'{BASE}/code/train.py').read())",
            archives=[Archive(exchange.location(tmp_path / "source.tar.gz"), "/opt/ml/code")],
        )
        watch.run(spec)
        assert texts(engine, spec)[-1] == "from the archive"

    def test_packs_outputs(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        spec = self.program(
            "os.makedirs(f'{BASE}/model/deep')\nopen(f'{BASE}/model/deep/weights', 'w').write('w' * 10)",
            outputs=[exchange.output(*MODEL), exchange.output("output.tar.gz", "/opt/ml/output/data")],
        )
        watch.run(spec)
        path = exchange.kept(engine, spec, "model.tar.gz")
        assert path is not None
        with tarfile.open(path) as tar:
            assert tar.getnames() == ["deep", "deep/weights"]
        assert exchange.kept(engine, spec, "output.tar.gz") is None

    def test_keeps_directories(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        directory = "/opt/ml/processing/output"
        spec = self.program(
            "os.makedirs(f'{BASE}/processing/output/deep')\n"
            "open(f'{BASE}/processing/output/deep/rows.csv', 'w').write('1,2')",
            outputs=[
                exchange.output("rows", directory, packed=False),
                exchange.output("none", "/opt/ml/none", packed=False),
            ],
        )
        watch.run(spec)
        kept = exchange.kept(engine, spec, "rows")
        assert kept is not None
        assert (kept / "deep/rows.csv").read_text() == "1,2"

    def test_a_last_message_is_told(self, watch: Watch) -> None:
        source = "os.makedirs(f'{BASE}/output', exist_ok=True)\nopen(f'{BASE}/output/message', 'wb').write("
        assert watch.run(self.program(f"{source}'x'.encode() * 1023 + 'é'.encode())")).message == "x" * 1023
        status = watch.run(self.program(f"{source}b'\\xff')"))
        assert (status.outcome, status.message) == ("Failed", "")
        assert "UTF-8" in status.reason

    def test_outputs_do_not_follow_links_out(
        self, exchange: Exchange, engine: Engine, watch: Watch, tmp_path: Path
    ) -> None:
        (tmp_path / "secret").write_text("secret")
        replace_model = f"os.rmdir(f'{{BASE}}/model')\nos.symlink({str(tmp_path)!r}, f'{{BASE}}/model')\n"
        spec = self.program(
            ("" if self.model_is_mounted else replace_model)
            + f"os.symlink({str(tmp_path / 'secret')!r}, f'{{BASE}}/output/data/link')\n"
            f"os.symlink({str(tmp_path / 'secret')!r}, f'{{BASE}}/output/failure')\n"
            "sys.exit('tried')",
            outputs=[exchange.output(*MODEL), exchange.output("output.tar.gz", "/opt/ml/output/data")],
        )
        assert watch.run(spec).reason == "AlgorithmError: tried, exit code: 1"
        assert exchange.kept(engine, spec, "model.tar.gz") is None
        path = exchange.kept(engine, spec, "output.tar.gz")
        assert path is not None
        with tarfile.open(path) as tar:
            assert [member.issym() for member in tar] == [True]

    def test_failure_file_is_the_reason(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        spec = self.program(
            "os.makedirs(f'{BASE}/output', exist_ok=True)\n"
            "open(f'{BASE}/output/failure', 'w').write('the data is bad' + '!' * 2000)\n"
            "open(f'{BASE}/model/partial', 'w').write('kept')\n"
            "sys.exit(3)",
            outputs=[exchange.output(*MODEL)],
        )
        status = watch.run(spec)
        assert (status.outcome, status.exit_code) == ("Failed", 3)
        assert status.reason.startswith("AlgorithmError: the data is bad!!!")
        assert status.reason.endswith(", exit code: 3")
        assert len(status.reason) == 1024
        assert exchange.kept(engine, spec, "model.tar.gz") is not None

    def test_a_tracebacks_last_lines_are_the_reason(self, watch: Watch) -> None:
        status = watch.run(self.program("print('fine so far')\nraise ValueError('wrong column: âge')"))
        assert status.outcome == "Failed"
        assert status.reason.endswith("ValueError: wrong column: âge, exit code: 1")
        assert "fine so far" not in status.reason

    def test_a_signal_is_told(self, watch: Watch) -> None:
        # Not by kill: nothing that the first process of a container sends to itself ends it.
        status = watch.run(self.program("import ctypes\nctypes.string_at(0)"))
        assert (status.outcome, status.exit_code) == ("Failed", -11)
        assert "SIGSEGV" in status.reason
        assert status.reason.endswith("exit code: 139")

    def test_a_missing_program_is_told(self, watch: Watch) -> None:
        spec = self.program("")
        spec.command = ["no-such-program"]
        status = watch.run(spec)
        assert status.outcome == "Failed"
        assert "no-such-program" in status.reason

    def test_stop_lets_the_program_save(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        spec = self.program(SAVES_ON_SIGTERM, outputs=[exchange.output(*MODEL)])
        engine.start([spec])
        watch.printed(spec, "ready")
        engine.stop(spec.id)
        engine.stop(spec.id)
        assert watch.done(spec).outcome == "Stopped"
        assert exchange.kept(engine, spec, "model.tar.gz") is not None

    def test_stop_kills_after_the_grace(self, engine: Engine, watch: Watch) -> None:
        spec = self.program(IGNORES_SIGTERM, grace=0.3)
        engine.start([spec])
        watch.printed(spec, "ready")
        engine.stop(spec.id)
        status = watch.done(spec)
        assert (status.outcome, status.exit_code) == ("Stopped", -9)
        assert status.entered["Done"] - status.entered["Running"] < 10

    def test_stop_at_once(self, engine: Engine, watch: Watch) -> None:
        spec = self.program("time.sleep(60)")
        engine.start([spec])
        engine.stop(spec.id)
        assert watch.done(spec).outcome == "Stopped"

    def test_max_runtime(self, exchange: Exchange, engine: Engine, watch: Watch) -> None:
        spec = self.program(SAVES_ON_SIGTERM, outputs=[exchange.output(*MODEL)], max_runtime=self.start_seconds)
        status = watch.run(spec)
        assert status.outcome == "MaxRuntimeExceeded"
        assert exchange.kept(engine, spec, "model.tar.gz") is not None

    def test_what_a_program_leaves_running_is_killed(self, watch: Watch) -> None:
        """A left process that holds the pipes open would otherwise keep the instance from ending."""
        spec = self.program(
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)\n"
            "os.wait()\nprint('leaving')"
        )
        status = watch.run(spec)
        assert status.outcome == "Completed"
        assert status.entered["Done"] - status.entered["Running"] < 15

    def test_logs_lose_and_repeat_nothing(self, engine: Engine) -> None:
        """Read while it is written, in pages of at most 1 MiB."""
        count = 100_000
        spec = self.program(f"for number in range({count}): sys.stdout.write(f'line {{number}} ' + 'x' * 20 + '\\n')")
        engine.start([spec])
        found: list[str] = []
        offset = 0
        while True:
            ended = engine.poll(spec.id).phase == "Done"
            lines, reached = engine.logs(spec.id, offset)
            assert reached - offset <= 1024 * 1024
            found += [line.text.split()[1] for line in lines if line.text.startswith("line")]
            if ended and reached == offset:
                break
            offset = reached
        assert found == [str(number) for number in range(count)]

    def test_output_is_seen_while_it_runs(self, engine: Engine, watch: Watch) -> None:
        spec = self.program("print(time.time())\nsys.stdout.write('unfinished')\nsys.stdout.flush()\ntime.sleep(60)")
        engine.start([spec])
        watch.printed(spec, "unfinished")
        (first, second) = list(engine.logs(spec.id, 0)[0])[-2:]
        assert abs(first.at - float(first.text)) < 1
        assert second.at - first.at < 2
        engine.release(spec.id)

    def test_odd_output(self, engine: Engine, watch: Watch) -> None:
        spec = self.program(
            "out = sys.stdout.buffer\n"
            "out.write(b'\\xff broken\\n\\ttab\\r\\n10%\\r50%\\r100%\\n\\n')\n"
            "out.write('é'.encode() * 200_000 + b'\\nlast')\n"
        )
        watch.run(spec)
        lines = texts(engine, spec)
        assert lines[-7:-3] == ["\ufffd broken", "\ttab", "100%", ""]
        assert "".join(lines[-3:-1]) == "é" * 200_000
        assert lines[-1] == "last"

    def test_outlives_its_engine(self, exchange: Exchange, engine: Engine, reopen: Callable[[], Engine]) -> None:
        spec = self.program(SAVES_ON_SIGTERM, outputs=[exchange.output(*MODEL)])
        engine.start([spec])
        Watch(engine).printed(spec, "ready")
        later = reopen()
        assert later.poll(spec.id).phase == "Running"
        later.stop(spec.id)
        assert Watch(later).done(spec).outcome == "Stopped"
        assert "ready" in texts(later, spec)

    def test_hints_tell_of_changes(self, engine: Engine, watch: Watch) -> None:
        hinted: set[str] = set()
        engine.on_change(hinted.add)
        spec = self.program("print('x')")
        watch.run(spec)
        watch.until(lambda: spec.id in hinted)

    def test_instances_are_those_not_released(self, engine: Engine, watch: Watch) -> None:
        one, two = self.program("print('one')"), self.program("print('two')")
        watch.run(one)
        watch.run(two)
        assert set(engine.instances()) >= {one.id, two.id}
        engine.release(one.id)
        assert two.id in engine.instances()
        assert one.id not in engine.instances()

    def test_release_kills_and_forgets(self, engine: Engine, watch: Watch) -> None:
        spec = self.program(IGNORES_SIGTERM)
        engine.start([spec])
        watch.printed(spec, "ready")
        engine.release(spec.id)
        with pytest.raises(KeyError):
            engine.poll(spec.id)

    def test_many_at_once(self, engine: Engine, watch: Watch) -> None:
        specs = [self.program("", interpreter="") for _ in range(self.many)]
        for spec in specs:
            spec.command = ["/bin/true"]
            engine.start([spec])
        ended = [watch.done(spec) for spec in specs]
        assert [status.reason for status in ended if status.outcome != "Completed"] == []

    @pytest.mark.slow
    def test_a_channel_of_100_000_files(self, exchange: Exchange, engine: Engine, watch: Watch, tmp_path: Path) -> None:
        # A body takes 65,000 links at most on ext4.
        bodies = [tmp_path / f"body-{number}" for number in range(10)]
        for body in bodies:
            body.write_text("x")
        sources = [
            Source(f"{number % 100}/{number}", exchange.location(bodies[number % 10]), 1) for number in range(100_000)
        ]
        spec = self.program(
            "print(sum(len(names) for _, _, names in os.walk(f'{BASE}/input/data/train')))",
            channels={"/opt/ml/input/data/train": sources},
        )
        status = watch.run(spec)
        assert texts(engine, spec)[-1] == "100000"
        assert status.entered["Running"] - status.entered["Downloading"] < 60
