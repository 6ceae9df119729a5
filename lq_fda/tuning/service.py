"""Several processes, on one machine or many: a chief with the oracle, and workers that run its trials.

They speak through Keras Tuner's own gRPC service and its environment variables, without encryption: keep the port
inside a network that you trust. All of them must see the search's folder.
"""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief
from keras_tuner.src.distribute import utils as roles

from lq_fda.errors import LqFdaError, reason
from lq_fda.tuning.oracles import Durable

_ALIVE_SECONDS = 5.0
_POLL_SECONDS = 0.5
_FAREWELL_SECONDS = 5.0
_CHIEF_SECONDS = 60.0

is_chief = roles.is_chief_oracle


def is_worker() -> bool:
    """Whether this process runs the trials of another one's oracle."""
    return roles.has_chief_oracle() and not is_chief()


def _address() -> str:
    return f"{os.environ['KERASTUNER_ORACLE_IP']}:{os.environ['KERASTUNER_ORACLE_PORT']}"


@contextlib.contextmanager
def role(*, chief: str | None = None, worker: str | None = None) -> Iterator[None]:
    """Sets the variables that Keras Tuner reads: KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT.

    Without an address they stay as they are, for those who start their processes with them.

    Args:
        chief: HOST:PORT that the chief listens on.
        worker: HOST:PORT of the worker's chief.

    Raises:
        LqFdaError: Both, or no address of that form; without one, some of the variables and not all.
    """
    if chief is not None and worker is not None:
        raise LqFdaError(
            f"A process is a chief or a worker. Received: chief={chief!r}, worker={worker!r}.",
            cure="Start two processes.",
        )
    address = chief if chief is not None else worker
    if address is None:
        _require_whole_environment()
        yield
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise LqFdaError(
            f"This is no address. Expected HOST:PORT. Received: {address!r}.", cure="Write, say, localhost:8000."
        )
    # Keras Tuner knows the chief by this word in its name; a hexadecimal number cannot hold it.
    name = "chief" if chief is not None else f"worker-{uuid.uuid4().hex[:8]}"
    variables = {"KERASTUNER_TUNER_ID": name, "KERASTUNER_ORACLE_IP": host, "KERASTUNER_ORACLE_PORT": port}
    before = {variable: os.environ[variable] for variable in variables if variable in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        # One by one: threads of TensorFlow's read the others meanwhile.
        for variable in variables.keys() - before.keys():
            del os.environ[variable]
        os.environ.update(before)


def _require_whole_environment() -> None:
    """Refuses some of Keras Tuner's variables without the others."""
    try:
        roles.has_chief_oracle()
    except RuntimeError as error:
        raise LqFdaError(
            "Keras Tuner's environment is incomplete. Expected all of KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and "
            f"KERASTUNER_ORACLE_PORT, or none. Received: {reason(error)}",
            cure="Set all of them, or unset them and use --chief or --worker.",
        ) from error


def serve(oracle: Durable) -> None:
    """Answers workers until there is no trial left, and gives the trials of those that die to others.

    Raises:
        LqFdaError: The address cannot be listened on.
    """
    address = _address()
    # One thread: Keras Tuner's lock is not given back when a call fails, and its owner alone may go on.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    protos.get_service_grpc().add_OracleServicer_to_server(oracle_chief.OracleServicer(oracle), server)
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise LqFdaError(
            f"The chief cannot listen there. Expected a free port on an address of this machine. "
            f"Received: {address!r}.",
            cure="Choose another port, or stop what holds it.",
        )
    server.start()
    try:
        while not oracle.finished or oracle.tuner_ids:
            time.sleep(_POLL_SECONDS)
            oracle.release_lost()
    finally:
        server.stop(_FAREWELL_SECONDS).wait()


@contextlib.contextmanager
def keep_alive(oracle: Any, trial_id: str) -> Iterator[None]:
    """Calls the chief again and again while a trial runs, so that it knows this worker to be alive.

    Args:
        oracle: The client of the chief's oracle.
        trial_id: The trial.
    """
    ended = threading.Event()

    def call() -> None:
        while not ended.wait(_ALIVE_SECONDS):
            # A chief that is away may come back; the trial's end will show it.
            with contextlib.suppress(grpc.RpcError):
                oracle.get_trial(trial_id)

    threading.Thread(target=call, name=f"alive-{trial_id}", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextlib.contextmanager
def chief_required() -> Iterator[None]:
    """Waits for the chief, and turns one that does not answer into one sentence.

    A chief that goes away later may come back within Keras Tuner's time, an hour.

    Raises:
        LqFdaError: It does not.
    """
    try:
        with grpc.insecure_channel(_address()) as channel:
            grpc.channel_ready_future(channel).result(_CHIEF_SECONDS)
    except grpc.FutureTimeoutError:
        raise LqFdaError(
            f"No chief answers. Expected one that listens. Received: {_address()!r} after {_CHIEF_SECONDS:.0f} s.",
            cure="Start it first: the same command with --chief HOST:PORT in place of --worker.",
        ) from None
    try:
        yield
    except grpc.RpcError as error:
        raise LqFdaError(
            f"The chief does not answer. Expected it at {_address()!r}. "
            f"Received: {error.code().name} ({error.details()}). What this worker has trained is kept.",
            cure="Start the chief again with its own command, then this worker.",
        ) from error
