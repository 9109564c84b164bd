"""Each measure of confinement by itself: what one keeps off, no other may have to.

Together they cover for each other: what Landlock lets through, a root folder that is only read still denies.  Here a
process takes one of them, tries what it is for, and tells.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.probe.runners.confinement import confine, limits, private_root
from threatmodel.probe.runners.confinement.kernel import KernelError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the measures are Linux's")

BEGINNING = """
import ctypes, errno, json, os, signal, socket, stat, sys
from threatmodel.probe.runners.confinement import confine, landlock, limits, namespaces, private_root, privileges
from threatmodel.probe.runners.confinement.kernel import KernelError
libc, told = ctypes.CDLL(None, use_errno=True), {}
def status():
    with open("/proc/self/status") as lines:
        return dict(line.rstrip("\\n").split(":\\t", 1) for line in lines if ":\\t" in line)
def tried(name, attempt):
    try:
        attempt()
        told[name] = "done"
    except OSError as error:
        told[name] = errno.errorcode.get(error.errno, str(error))
"""
SHOWN, READABLE, TRIED = (vars(confine)[name] for name in ("_shown", "_readable_by_all", "_tried"))
SETTINGS = vars(private_root)["_SETTINGS"]
AS_ROOT = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives rights up")


def told(lines: str, *arguments: str) -> dict[str, Any]:
    """What a process tells after these lines, which put it into `told`; arguments are in `sys.argv`."""
    text = BEGINNING + textwrap.dedent(lines) + "\nprint(json.dumps(told))"
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments], cwd=HOME, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def version() -> int:
    """The kernel's version of Landlock, by its own number of the call; 0 or less where it has none."""
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1)) if sys.platform.startswith("linux") else 0


# --- writes
WRITES = """
own, other, caller = sys.argv[1:4]
def writing(path, flags=os.O_WRONLY | os.O_CREAT):
    return lambda: os.close(os.open(path, flags, 0o600))
privileges.no_new()  # which a user needs for it
told["version"] = landlock.restrict([own, "/dev/null", own + "/no-such-folder"])
for name, folder in (("own", own), ("other", other)):
    tried(f"{name}: a new file", writing(folder + "/new"))
    tried(f"{name}: a file that is there", writing(folder + "/there", os.O_WRONLY))
    tried(f"{name}: cut", lambda: os.truncate(folder + "/there", 0))
    tried(f"{name}: a folder", lambda: os.mkdir(folder + "/folder"))
    tried(f"{name}: a link", lambda: os.symlink("/", folder + "/link"))
    tried(f"{name}: a pipe", lambda: os.mkfifo(folder + "/pipe"))
    tried(f"{name}: a socket", lambda: socket.socket(socket.AF_UNIX).bind(folder + "/socket"))
    tried(f"{name}: removed", lambda: os.unlink(folder + "/gone"))
    tried(f"{name}: a folder removed", lambda: os.rmdir(folder + "/gone-folder"))
    tried(f"{name}: read", lambda: open(folder + "/there").close())
tried("moved out", lambda: os.rename(own + "/there", other + "/moved"))
os.mkdir(own + "/inside")
tried("moved within", lambda: os.rename(own + "/there", own + "/inside/there"))
tried("nothing", writing("/dev/null", os.O_WRONLY))
tried("everything", writing("/dev/zero", os.O_WRONLY))
def asked(number):
    return lambda: socket.create_connection(("127.0.0.1", number), 5)
tried("connected", asked(int(sys.argv[4])))
tried("listening", lambda: socket.socket().bind(("127.0.0.1", 0)))
tried("signal", lambda: os.kill(int(caller), 0))
tried("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + sys.argv[5]))
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder that may be written and another one, with the same in both."""
    for name in ("own", "other"):
        folder = tmp_path / name
        (folder / "gone-folder").mkdir(parents=True)
        (folder / "there").write_text("x", encoding="ascii")
        (folder / "gone").touch()
    return tmp_path / "own", tmp_path / "other"


@pytest.mark.skipif(version() <= 0, reason="the kernel has no Landlock")
def test_landlock_lets_a_process_write_in_its_folders_and_reach_nothing(folders: tuple[Path, Path]) -> None:
    own, other = folders
    name = f"probe-{other.parent.name}-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{name}")
        abstract.listen()
        port = str(server.getsockname()[1])
        found = told(WRITES, str(own), str(other), str(os.getpid()), port, name)
    has = found.pop("version")
    assert has == version()
    assert {said for what, said in found.items() if what.startswith("own: ")} == {"done"}
    denied = {what: said for what, said in found.items() if what.startswith("other: ")}
    cut = "EACCES" if has >= 3 else "done"
    assert denied.pop("other: read") == "done"
    assert denied.pop("other: cut") == cut
    assert set(denied.values()) == {"EACCES"}, denied
    assert found["moved out"] in {"EACCES", "EXDEV"}
    assert found["moved within"] == ("done" if has >= 2 else "EXDEV")
    assert (found["nothing"], found["everything"]) == ("done", "EACCES")
    if has >= 4:
        assert (found["connected"], found["listening"]) == ("EACCES", "EACCES")
    if has >= 6:
        assert (found["signal"], found["abstract"]) == ("EPERM", "EPERM")


# --- rights
RIGHTS = """
before = status()
reads = sys.argv[1] == "reads"
privileges.become(1_879_048_200, reads=reads)
after = status()
told.update({name: after[name] for name in ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")})
tried("back", lambda: os.setuid(0))
tried("private", lambda: open(sys.argv[2]).close())
tried("other's file", lambda: os.chmod(sys.argv[2], 0o666))
"""


@AS_ROOT
@pytest.mark.parametrize("reads", [False, True])
def test_root_becomes_a_user_of_no_account_for_good(tmp_path: Path, reads: bool) -> None:
    private = tmp_path / "private"
    private.touch(0o600)
    tmp_path.chmod(0o755)
    found = told(RIGHTS, "reads" if reads else "", str(private))
    kept = f"{4 if reads else 0:016x}"  # CAP_DAC_READ_SEARCH is number 2
    assert {found["Uid"], found["Gid"]} == {"\t".join(["1879048200"] * 4)}
    assert found["Groups"].strip() == ""
    assert {found[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {kept}
    assert found["back"] == "EPERM"
    assert found["other's file"] in {"EPERM", "EACCES"}
    if all(folder.stat().st_mode & 1 for folder in tmp_path.parents):
        assert found["private"] == ("done" if reads else "EACCES")


def test_no_new_rights_and_no_dump_of_memory() -> None:
    found = told("""
        def states(): return [libc.prctl(39, 0, 0, 0, 0), libc.prctl(3, 0, 0, 0, 0)]
        told["before"] = states()
        privileges.no_new()
        privileges.hide()
        told["after"] = states()
        privileges.hide(hidden=False)
        told["shown"] = states()
    """)
    assert (found["before"], found["after"], found["shown"]) == ([0, 1], [1, 0], [1, 1])


def test_a_users_number_is_of_no_account_and_differs_each_time() -> None:
    found = told("told['users'] = [privileges.unused_user() for _ in range(50)]")["users"]
    assert len(set(found)) > 40
    assert all(1_879_048_192 <= one < 1_879_048_192 + 65_536 for one in found)


# --- how much
LIMITS = """
import resource
limits.of_process(memory=64 * 1024 * 1024, node=sys.argv[1] == "node")
names = ("CORE", "FSIZE", "NOFILE", "AS", "NPROC")
told.update({name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names})
told["running"] = limits._running()
"""


@pytest.mark.parametrize("language", ["python", "node"])
def test_a_process_and_what_it_starts_are_limited(language: str) -> None:
    found = told(LIMITS, language)
    mebi = 1024 * 1024
    assert (found["CORE"], found["FSIZE"], found["NOFILE"]) == ([0, 0], [64 * mebi] * 2, [1024] * 2)
    assert (found["AS"] == [384 * mebi] * 2) is (language == "python")
    soft, hard = found["NPROC"]
    assert soft == hard
    assert soft > limits.PROCESSES - 1
    assert found["running"] >= 1


# --- what is seen
PARTED = """
base, shown, socket_, home, hidden = sys.argv[1:6]
outside = os.getpid()
told["why"], mounts = namespaces.enter()
reading, writing = os.pipe()
if os.fork() == 0:
    told["number"] = os.getpid()
    told["interfaces"] = [name for _, name in socket.if_nameindex()]
    with open("/proc/self/uid_map") as map_: told["map"] = map_.read().split()
    def build(): private_root.build(base, [shown, shown + "/inside"], socket_, home, os.getuid())
    if mounts: tried("built", build)
    def listed(place): return sorted(os.listdir(place)) if os.path.isdir(place) else None
    told["there"] = {place: listed(place) for place in ("/", "/tmp", "/etc", "/dev", "/root", shown, hidden, home)}
    told["root"], told["streams"] = os.statvfs("/").f_flag & 1, os.readlink("/dev/stdout")
    told["size"] = os.statvfs(home).f_blocks * os.statvfs(home).f_frsize
    told["nosuid"] = [bool(os.statvfs(place).f_flag & 2) for place in (home, shown, "/")]
    def writing_to(place): return lambda: open(place, "ab").close()
    for place in ("/x", shown + "/x", "/usr/x", "/etc/x", home + "/x", shown + "/there", "/dev/null"):
        tried("write " + place.replace(shown, "SHOWN").replace(home, "HOME"), writing_to(place))
    tried("caller", lambda: os.kill(outside, 0))
    os.write(writing, json.dumps(told).encode())
    os._exit(0)
os.close(writing)
with os.fdopen(reading) as read: told.update(json.load(read))
os.wait()
"""


@pytest.fixture
def parted(tmp_path: Path) -> dict[str, Any]:
    """What a process sees behind namespaces and a root folder of its own."""
    for name in ("root", "shown/inside", "home", "hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shown" / "there").touch()
    (tmp_path / "socket").touch()
    names = ("root", "shown", "socket", "home", "hidden")
    found = told(PARTED, *(str(tmp_path / name) for name in names))
    if found["why"] != {"processes": "", "network": ""} or found.get("built") != "done":
        pytest.skip(f"this system allows no namespaces or mounts: {found}")
    return found


def test_a_process_in_its_own_namespaces_is_alone(parted: dict[str, Any]) -> None:
    assert (parted["number"], parted["interfaces"], parted["caller"]) == (1, ["lo"], "ESRCH")
    if os.getuid():
        assert parted["map"] == ["993", str(os.getuid()), "1"]


def test_a_private_root_shows_what_is_named_and_takes_nothing(parted: dict[str, Any], tmp_path: Path) -> None:
    there = parted["there"]
    expected = {"dev", "etc", "proc", "tmp", "usr"} | {
        name for name in ("bin", "sbin", "lib", "lib32", "lib64") if Path("/", name).exists()
    }
    outside = {Path(tmp_path).parts[1], *(Path(part).parts[1] for part in ("/nix",) if Path("/nix/store").exists())}
    assert expected <= set(there["/"]) <= expected | outside
    assert set(SETTINGS) >= {"ssl", "pki", "ca-certificates", "ld.so.cache", "localtime", "nsswitch.conf", "mime.types"}
    assert set(there["/etc"]) == {name for name in SETTINGS if Path("/etc", name).exists()}
    assert set(there["/dev"]) == {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr"}
    assert there["/root"] is None
    assert there[str(tmp_path / "shown")] == ["inside", "there"]
    assert (there[str(tmp_path / "hidden")], there[str(tmp_path / "home")]) == (None, [])
    assert (parted["root"], parted["streams"], parted["size"]) == (1, "/proc/self/fd/1", 128 * 1024 * 1024)
    assert parted["nosuid"] == [True, True, True]
    writes = {what: said for what, said in parted.items() if what.startswith("write ")}
    assert {what for what, said in writes.items() if said == "done"} == {"write HOME/x", "write /dev/null"}
    assert {said for what, said in writes.items() if said != "done"} == {"EROFS"}


# --- what a handler needs


def configured(folder: Path, **changed: Any) -> dict[str, Any]:
    """The configuration of a handler in a folder."""
    (folder / "app.py").touch(0o644)
    return {
        "folder": str(folder),
        "file": "app.py",
        "stubs": "/stubs/boto3",
        "packages": [],
        "linked": [],
        "node": "",
        "bytecode": "",
        "home": "/home",
        **changed,
    }


def test_python_is_shown_with_its_libraries_and_nothing_of_the_caller(tmp_path: Path) -> None:
    config = configured(tmp_path, packages=["/p"], linked=["/l"], bytecode="/b", home=str(HOME))
    found = [*SHOWN(config)]
    assert found[:5] == [str(tmp_path), "/stubs", "/p", "/l", "/b"]
    assert {path for path in sys.path if Path(path).is_dir()} - {str(HOME)} <= set(found)
    assert str(HOME) not in found
    assert f"{sys.base_prefix}/lib" in found


def test_node_is_shown_with_every_folder_of_packages_above(tmp_path: Path) -> None:
    handler, elsewhere = tmp_path / "bot" / "src", tmp_path / "packages" / "node_modules"
    for one in (handler, elsewhere, tmp_path / "node_modules"):
        one.mkdir(parents=True)
    (tmp_path / "bot" / "node_modules").symlink_to(elsewhere)
    (handler / "node_modules").symlink_to(tmp_path / "packages")  # a link to any folder shows none
    program = tmp_path / "node" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "link").symlink_to(program)
    found = [*SHOWN(configured(handler, node=str(tmp_path / "link")))]
    assert found[2:] == [
        *(str(elsewhere), str(tmp_path / "node_modules")),
        *(str(tmp_path / "link"), str(program), str(tmp_path / "node" / "lib")),
    ]


def test_a_handler_that_is_not_for_all_to_read_is_known(tmp_path: Path) -> None:
    config = configured(tmp_path)
    tmp_path.chmod(0o755)
    assert READABLE(config)
    for place in (tmp_path, tmp_path / "app.py"):
        mode = place.stat().st_mode
        place.chmod(0o700)
        assert not READABLE(config)
        place.chmod(mode)
    package = tmp_path / "package"
    package.mkdir(0o700)
    assert not READABLE(config | {"packages": [str(package)]})


def test_what_a_system_refuses_is_told_and_not_raised() -> None:
    def refused() -> None:
        raise KernelError(1, "unshare: Operation not permitted")

    assert TRIED(refused) == "unshare: Operation not permitted"
    assert TRIED(lambda: None) == ""
