"""What bad input gets: a clear message, and the rest keeps working where it can."""

import os
import subprocess

import pytest

from simulators.gateway import GatewayError
from simulators.province.certificates import Authority
from tests.integration.rig import GATEWAY, MINE_CODE, rig

pytestmark = pytest.mark.timeout(120)

NOWHERE = "rtsp://127.0.0.1:1/main"
CAMERA = {"code": "shaft-cam", "url": NOWHERE}


async def power_is_still_watched(r):
    r.hoist.start()
    return await r.alarm("production-load", "hoist")


async def test_a_wrong_configuration_lists_every_fault_and_ends_with_78(tmp_path):
    site = {"mine_code": "22", "gateway": GATEWAY, "state": "asleep"}
    async with rig(tmp_path, site=site, page={"prot": 1}) as r:
        with pytest.raises(GatewayError) as told:
            await r.gateway.start()
        assert r.gateway.exit_code == 78
        for path in ("site.mine_code", "site.state", "page.prot"):
            assert path in str(told.value)


async def test_a_broken_model_is_an_incident_and_power_is_still_watched(tmp_path):
    model = tmp_path / "broken.onnx"
    model.write_bytes(b"\x08\x07not a model")
    async with rig(tmp_path, detector={"model": str(model)}, camera=[CAMERA]) as r:
        await r.gateway.start()
        assert await r.alarm("detector-lost", "detector")
        assert await r.said("broken.onnx")
        assert await power_is_still_watched(r)


async def test_a_missing_camera_is_an_incident_and_power_is_still_watched(tmp_path):
    async with rig(tmp_path, camera=[CAMERA]) as r:
        await r.gateway.start()
        assert await r.alarm("camera-lost", "shaft-cam")
        assert await power_is_still_watched(r)


async def test_a_wrong_broker_certificate_is_named_and_records_are_held(tmp_path):
    stranger = Authority(tmp_path / "stranger", "another authority")
    async with rig(tmp_path) as r:
        broker = type(r.broker)(tls=True)
        async with broker:
            pair = broker.gateway
            assert pair is not None
            tls = {"ca": stranger.certificate, "certificate": pair.certificate, "key": pair.key}
            address = {"host": broker.host, "port": broker.port, "tls": tls}
            r.gateway.config["broker"] = [address]
            await r.gateway.start()
            assert await r.said("certificate", str(broker.port))
            r.gateway.config["broker"] = [{"host": r.broker.host, "port": r.broker.port}]
            await r.gateway.stop()
            await r.gateway.start()  # with the right one everything that was held arrives
            r.province.enrol(MINE_CODE, GATEWAY, r.gateway.verifier_key())
            assert await r.province.wait_until(
                lambda _: 0 in r.view.arrivals and r.view.verified, 20
            )


async def test_garbage_on_the_bus_is_one_lost_meter_and_the_other_is_read(tmp_path):
    async with rig(tmp_path) as r:
        r.fan.garbage = True
        await r.gateway.start()
        assert await r.alarm("meter-lost", "fan")
        assert await power_is_still_watched(r)
        assert r.opened() == [("meter-lost", "fan"), ("production-load", "hoist")]


@pytest.fixture
def small_disk(tmp_path):
    """A file-system of its own that can be made read-only."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file-system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file-system can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def remount(place, how):
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True)


async def test_a_read_only_disk_at_the_start_is_said_and_ends_with_74(tmp_path, small_disk):
    remount(small_disk, "ro")
    async with rig(tmp_path, storage={"dir": small_disk / "storage"}) as r:
        with pytest.raises(GatewayError) as told:
            await r.gateway.start()
        assert r.gateway.exit_code == 74
        assert str(small_disk) in str(told.value)


async def test_a_disk_that_takes_nothing_holds_the_alarm_until_it_does_again(tmp_path, small_disk):
    async with rig(tmp_path, storage={"dir": small_disk / "storage"}) as r:
        await r.gateway.start()
        assert await r.province.wait_until(lambda _: r.view.online, 20)
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(bytes(65536))
                    file.flush()
            except OSError:
                pass
        r.hoist.start()
        assert await r.said("storage takes no records", timeout_s=25)
        filler.unlink()
        assert await r.alarm("production-load", "hoist")
