"""Standard output and error as the server writes them: nothing raises, nothing blocks, and what is
lost is counted."""

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from chat.logs.output import MAX_WAITING_CHARS, Output

LINE = "x" * 99 + "\n"
WITHIN_S = 10


def until(condition):
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def pipe():
    """`(read, write)`; both are closed afterwards, which frees a writer that is blocked."""
    read, write = os.pipe()
    yield read, write
    for number in (read, write):
        with contextlib.suppress(OSError):
            os.close(number)


def fill(number):
    """Write until the pipe is full; returns the bytes that are in it."""
    os.set_blocking(number, False)
    size = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            size += os.write(number, b"." * 4096)
    os.set_blocking(number, True)
    return size


def read_all(number, size):
    found = b""
    while len(found) < size:
        found += os.read(number, 65536)
    return found


def test_lines_come_out_in_order(pipe):
    """Also those of `print`, and those of half a line."""
    read, write = pipe
    output = Output(write)
    for number in range(1_000):
        print("line", number, file=output, flush=True)
    output.close_within(WITHIN_S)
    expected = "".join(f"line {number}\n" for number in range(1_000)).encode()
    assert read_all(read, len(expected)) == expected
    assert output.lines_lost == 0


def test_lines_of_many_threads_stay_whole(pipe):
    """One `write` is one line, whoever else writes."""
    read, write = pipe
    output = Output(write)

    def work(name):
        for number in range(200):
            output.write(f"{name} {number}\n")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    output.close_within(WITHIN_S)
    expected = {f"{name} {number}" for name in "abcd" for number in range(200)}
    size = sum(len(line) + 1 for line in expected)
    lines = read_all(read, size).decode().splitlines()
    assert (set(lines), len(lines)) == (expected, len(expected))


def test_a_reader_that_is_gone_is_lines_lost(pipe):
    """EPIPE: `write` returns as ever."""
    read, write = pipe
    os.close(read)
    output = Output(write)
    for _ in range(10):
        output.write(LINE)
    output.close_within(WITHIN_S)
    assert output.lines_lost == 10


def test_a_closed_file_is_lines_lost(pipe):
    """EBADF."""
    os.close(pipe[1])
    output = Output(pipe[1])
    output.write(LINE)
    output.close_within(WITHIN_S)
    assert output.lines_lost == 1


def test_a_pipe_that_nobody_reads_blocks_no_writer(pipe):
    """What waits is bounded; what comes on top is lost, and told when there is a reader again."""
    read, write = pipe
    full = fill(write)
    output = Output(write)
    began = time.monotonic()
    count = 2 * MAX_WAITING_CHARS // len(LINE)
    for _ in range(count):
        output.write(LINE)
    output.close_within(0.05)
    assert time.monotonic() - began < WITHIN_S
    lost = output.lines_lost
    assert 0 < lost < count
    read_all(read, full)
    kept = (count - lost) * len(LINE)
    assert read_all(read, kept) == (LINE * (count - lost)).encode()
    output.write("again\n")
    told = f"{lost} lines were lost here\nagain\n".encode()
    assert read_all(read, len(told)) == told


def test_a_disk_that_was_full_is_told_when_there_is_room(pipe):
    """ENOSPC: the next line that can be written comes behind one that says how many were not."""
    read, write = pipe
    with open("/dev/full", "wb", buffering=0) as full:
        number = os.dup(full.fileno())
    output = Output(number)
    for _ in range(3):
        output.write(LINE)
    until(lambda: output.lines_lost == 3)
    os.dup2(write, number)
    output.write("again\n")
    output.close_within(WITHIN_S)
    assert os.read(read, 1_000) == b"3 lines were lost here\nagain\n"
    os.close(number)


def test_half_a_line_before_a_failure_is_ended(tmp_path):
    """The line behind it begins at the left, or a reader would take the two for one."""
    path = tmp_path / "log"
    script = """
import os, resource, signal, sys
from chat.logs.output import Output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))
output = Output(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND))
output.write("a" * 80 + "\\n")
output.close_within(5)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
output.write("again\\n")
output.close_within(5)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=30)
    assert path.read_text().splitlines() == ["a" * 50, "1 lines were lost here", "again"]


def test_a_file_that_somebody_made_non_blocking_loses_nothing(pipe):
    """EAGAIN: the file is shared, with Node for one, which sets O_NONBLOCK on it."""
    read, write = pipe
    fcntl.fcntl(write, fcntl.F_SETFL, fcntl.fcntl(write, fcntl.F_GETFL) | os.O_NONBLOCK)
    output = Output(write)
    text = LINE * 2_000
    output.write(text)
    output.close_within(0.2)  # by then it has met the full pipe
    assert read_all(read, len(text)) == text.encode()
    output.close_within(WITHIN_S)
    assert output.lines_lost == 0


def test_text_that_is_no_unicode_is_escaped(pipe):
    """Half a surrogate pair in a traceback, say."""
    read, write = pipe
    output = Output(write)
    output.write("\ud800é\n")
    output.close_within(WITHIN_S)
    assert os.read(read, 100) == "\\ud800é\n".encode()


@pytest.mark.parametrize("end", ["pass", "raise SystemExit(3)", "raise ValueError('crash')"])
def test_what_was_written_before_the_end_comes_out(end):
    """In order, the traceback of a crash behind it."""
    script = (
        f"import sys\nfrom chat.logs.output import guard_stderr\nguard_stderr()\n"
        f"for n in range(500): print(n, file=sys.stderr)\n{end}\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    lines = ended.stderr.decode().splitlines()
    assert lines[:500] == [str(number) for number in range(500)]
    assert ("ValueError: crash" in lines[-1]) == ("ValueError" in end)
    assert ended.returncode == {"pass": 0, "raise SystemExit(3)": 3}.get(end, 1)


def test_the_end_does_not_wait_for_a_reader_that_does_not_read(pipe):
    """A second, and the process is gone, whatever could not be written."""
    script = (
        "import sys\nfrom chat.logs.output import guard_stderr\nguard_stderr()\n"
        "for n in range(5000): print('x' * 99, file=sys.stderr)\nraise ValueError"
    )
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", script], stderr=pipe[1], timeout=30)
    assert ended.returncode == 1
    assert time.monotonic() - began < WITHIN_S


def test_a_forked_child_writes_too():
    """The thread that writes is not there after a fork; the child makes one of its own."""
    script = """
import os, sys
from chat.logs.output import guard_stderr, close_output
guard_stderr()
print("parent", file=sys.stderr)
close_output()
if os.fork() == 0:
    print("child", file=sys.stderr)
    close_output()
    os._exit(0)
os.wait()
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30)
    assert ended.stderr.split() == [b"parent", b"child"]
