"""The memory that there is."""

import pytest

from sklearn_ndk._compute._memory import total_memory


def test_a_container_may_have_less_than_the_machine(tmp_path):
    limit, none, missing = (tmp_path / name for name in ("limit", "none", "missing"))
    limit.write_text("1048576\n")
    none.write_text("max\n")
    machine = total_memory(())
    assert total_memory((limit,)) == 1048576
    assert total_memory((none, missing)) == machine
    assert total_memory((missing, none, limit)) == 1048576


@pytest.mark.parametrize("huge", ["9223372036854771712"])
def test_limits_beyond_the_machine_are_none(tmp_path, huge):
    path = tmp_path / "limit"
    path.write_text(huge)
    assert total_memory((path,)) == total_memory(())
