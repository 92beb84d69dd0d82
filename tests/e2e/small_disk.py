"""A disk of its own that a test can fill."""
import subprocess

import pytest

DISK_MB = 192


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, small enough to fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", folder],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk can be mounted by root only: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


class Ballast:
    """Takes all of the disk but so many MB."""

    def __init__(self, disk, room_mb):
        self.path = disk / "ballast"
        subprocess.run(["fallocate", "-l", f"{DISK_MB - room_mb}M", self.path], check=True)

    def fill_up(self):
        with open(self.path, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def remove(self):
        self.path.unlink()
