"""The bus through TLS: the server has to prove who it is."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bustools import Ear, opened, passes, up
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from load.backing import Valkey
from rooms.bus import BusState


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bus")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "bus.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
async def guarded(valkey: Valkey, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The port of a TLS end before a Valkey, and the certificate that it shows."""
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    lines: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", valkey.port)
        for each in (copy(reader, inner_writer), copy(inner_reader, writer)):
            lines.add(asyncio.create_task(each))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1], file
    server.close()
    await server.wait_closed()
    for line in lines:
        line.cancel()
    await asyncio.gather(*lines, return_exceptions=True)


async def test_a_server_that_proves_who_it_is_is_used(guarded: tuple[int, Path], valkey: Valkey) -> None:
    port, file = guarded
    url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={file}"
    async with opened(url) as one, opened(url) as other:
        ear = Ear()
        await up(one, other)
        await one.join("page", ear)
        await passes(other, one, "page", ear)
        await valkey.drop_clients()
        await asyncio.sleep(0.1)
        await up(one, other)
        await passes(other, one, "page", ear)


async def test_a_server_that_does_not_is_not(guarded: tuple[int, Path]) -> None:
    port, _ = guarded
    async with opened(f"rediss://127.0.0.1:{port}") as one:
        assert one.state is BusState.AWAY
        assert "CERTIFICATE_VERIFY_FAILED" in one.reason
    async with opened(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none") as one:
        await up(one)
