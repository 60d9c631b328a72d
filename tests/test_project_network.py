"""No test leaves this machine: not through Python, nor through a client or process beside it."""

import os
import socket
import urllib.error
import urllib.request

import pytest

from tests.conftest import NetworkRefusedError

DOCUMENTATION = "192.0.2.1"  # RFC 5737: nobody's address


def test_a_connection_beyond_this_machine_is_refused() -> None:
    with socket.socket() as tcp, pytest.raises(NetworkRefusedError):
        tcp.connect((DOCUMENTATION, 80))
    with socket.socket() as tcp, pytest.raises(NetworkRefusedError):
        tcp.connect_ex((DOCUMENTATION, 80))


def test_not_even_a_name_is_looked_up() -> None:
    with pytest.raises(NetworkRefusedError):
        socket.getaddrinfo("example.com", 80)
    assert socket.getaddrinfo("localhost", 80)


def test_clients_that_ask_the_environment_meet_a_closed_proxy() -> None:
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"http://{DOCUMENTATION}/", timeout=5)
    assert os.environ["HTTPS_PROXY"] == os.environ["http_proxy"]


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        assert client.getpeername() == server.getsockname()
