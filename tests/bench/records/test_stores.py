"""Records in an object store: a real S3 server on loopback, every verb that takes --results, and what goes wrong."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench, make_run, make_spec, stored
from object_store import KEYS, Busy, fronted, served

from bench.errors import UsageError
from bench.records import codec, files, remote, repository, stores

pytest.importorskip("s3fs")
pytest.importorskip("moto")
pytestmark = pytest.mark.xdist_group("s3")

QUICK = ("run", "--quick", "--backend", "numpy", "--method", "last_value", "--task", "ten-step")
READER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:[GL]*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of S3's protocol, in a process of its own."""
    with served() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> stores.Remote:
    """An empty bucket, and a prefix in it."""
    post(f"{endpoint}/moto-api/reset")
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    remote = stores.Remote("s3://bucket/runs/mine")
    system, _ = remote.opened
    system.mkdir("bucket")
    return remote


def post(url: str, content: bytes = b"") -> None:
    urllib.request.urlopen(urllib.request.Request(url, content, {"Content-Type": "text/plain"})).close()


def test_every_verb_reads_and_writes_there(bucket: stores.Remote, inside: Bench, tmp_path: Path) -> None:
    there = ("--results", str(bucket))
    ran = inside(*QUICK, "--seeds", "1,2", *there)
    assert ran.returncode == 0 and ran.stdout.count("MSE 0.") == 2, ran.stderr
    runs = stored(bucket)
    assert [run.status for run in runs] == ["ok", "ok"]
    board = tmp_path / "bucket-runs-mine/leaderboard.md"
    assert f"{board.relative_to(tmp_path)} is rendered from the records in {bucket}" in ran.stdout
    assert "last_value" in board.read_text()
    again = inside(*QUICK, "--seeds", "1,2", *there)
    assert again.returncode == 0 and "0 runs to do, 2 skipped, already recorded" in again.stdout
    assert json.loads(inside("list", "runs", "--json", *there).stdout)[0]["key"] == runs[0].key
    for command in (("leaderboard", "--check"), ("results", "check"), ("verify", runs[0].key), ("reproduction",),
                    ("show", "last_value"), ("report",), ("plot", runs[0].key)):  # fmt: skip
        ended = inside(*command, *there)
        assert ended.returncode == 0, f"{command}: {ended.stderr}"
    assert (tmp_path / "report.html").is_file()
    for one, other in ((str(bucket), "here"), ("here", "s3://bucket/copy")):
        merged = inside("merge", one, "--results", other)
        assert merged.returncode == 0 and "2 new" in merged.stdout, merged.stderr
    assert stored(stores.Remote("s3://bucket/copy")) == runs == stored(tmp_path / "here")
    compared = inside("compare", str(bucket), "s3://bucket/copy")
    assert compared.returncode == 0 and "same" in compared.stdout
    refused = inside("merge", str(bucket), *there)
    assert refused.returncode == 2 and "is the folder that is merged into" in refused.stderr
    assert not (tmp_path / "results").exists() and not (tmp_path / "s3:").exists()


def test_a_damaged_object_is_named_and_not_overwritten(bucket: stores.Remote, inside: Bench) -> None:
    run = make_run()
    name = codec.path_of(run.spec).as_posix()
    repository.write(bucket, run)
    good = next(bucket.contents([name]))[1]
    assert isinstance(good, bytes)
    for damaged in (good[:-9], b"", b" " * (stores.LARGEST + 1)):
        bucket.write(name, damaged)
        checked = inside("results", "check", "--results", str(bucket))
        assert checked.returncode == 1 and name in checked.stdout
        repository.write(bucket, run)
        system, root = bucket.opened
        assert stored(bucket) == [run]
    aside = [system.cat_file(path) for path in system.find(root) if path.endswith(".left-out")]
    assert sorted(map(len, aside)) == [0, len(good) - 9, stores.LARGEST + 1]


def test_what_is_no_record_by_its_name_is_left_alone(bucket: stores.Remote) -> None:
    repository.write(bucket, make_run())
    for name in ("figures/x.json", ".running/x.json", "ten-step/x.txt"):
        bucket.write(name, b"")
    assert stored(bucket) == [make_run()]


def test_what_another_campaign_has_finished_is_not_run_again(bucket: stores.Remote) -> None:
    from bench.execution.jobs import Job
    from bench.records import locks

    with locks.of(bucket, {}) as share:
        job = Job(make_spec())
        assert share.take(job.key) and not share.is_done(job.name)
        repository.write(bucket, make_run())
        assert share.is_done(job.name)


def test_a_bucket_that_can_only_be_read(endpoint: str, bucket: stores.Remote, inside: Bench, monkeypatch) -> None:
    import boto3

    repository.write(bucket, make_run())
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(READER))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    post(f"{endpoint}/moto-api/reset-auth", b"0")
    try:
        assert inside("list", "runs", "--results", str(bucket)).stdout.count("gru") == 1
        ended = inside(*QUICK, "--results", str(bucket))
    finally:
        post(f"{endpoint}/moto-api/reset-auth", b"inf")
    assert ended.returncode == 2
    assert ended.stderr == f"bench: results '{bucket}' cannot be written: PermissionError: Access Denied\n"


@pytest.mark.parametrize("command", [QUICK, ("list", "runs"), ("leaderboard",)])
def test_a_bucket_that_is_not_there(bucket: stores.Remote, inside: Bench, tmp_path: Path, command: tuple) -> None:
    ended = inside(*command, "--results", "s3://nowhere/runs")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    assert "results 's3://nowhere/runs' cannot be" in ended.stderr and "bucket does not exist" in ended.stderr
    assert not list(tmp_path.glob("*.md")) and not (tmp_path / "nowhere-runs").exists()


def test_an_empty_prefix(bucket: stores.Remote, inside: Bench) -> None:
    ended = inside("leaderboard", "--results", "s3://bucket/empty")
    assert ended.returncode == 2 and "no results folder 's3://bucket/empty'" in ended.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint URL"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}, "credentials"),
    ],
)
def test_an_endpoint_out_of_reach(
    bucket: stores.Remote, bench: Bench, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    ended = bench(*QUICK, "--results", str(bucket))
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1, ended.stderr


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", "needed a bucket and a prefix, as in s3://bucket/prefix"),
        ("nonsense://a/b", "'nonsense://a/b': needed a folder, or a URL that fsspec knows"),
        ("gs://bucket/runs", "results 'gs://bucket/runs': its package is not installed: install what fsspec needs"),
    ],
)
def test_a_url_of_no_store(inside: Bench, url: str, message: str) -> None:
    ended = inside("list", "runs", "--results", url)
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1, ended.stderr


def test_other_urls(inside: Bench, tmp_path: Path) -> None:
    repository.write(tmp_path / "results", make_run())
    listed = inside("list", "runs", "--results", f"file://{tmp_path}/results")
    assert listed.returncode == 0 and "gru" in listed.stdout
    merged = inside("merge", "results", "--results", "memory://kept/here")
    assert merged.returncode == 0 and "1 new" in merged.stdout
    assert "gru" in inside("list", "runs", "--results", "memory://kept/here").stdout
    refused = inside("noise", "s3://bucket/twice", "--quick")
    assert refused.returncode == 2 and "needed a folder on this machine" in refused.stderr
    assert not (tmp_path / "s3:").exists()


MORE_THAN_THE_LIBRARY_TRIES = remote.ATTEMPTS**2 + 1  # its client and its file system try so often each


@pytest.fixture
def busy(endpoint: str, bucket: stores.Remote, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Busy]]:
    """The same server behind a flapping one."""
    with fronted(endpoint) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setattr(remote, "PAUSE", 0.05)
        files.warn.cache_clear()
        yield Busy


def test_a_busy_store_is_asked_again(busy: type[Busy], caplog: pytest.LogCaptureFixture) -> None:
    place = stores.Remote("s3://bucket/runs/mine")
    repository.check_writable(place)
    for seed in (1, 2):
        busy.refusals = MORE_THAN_THE_LIBRARY_TRIES
        repository.write(place, make_run(make_spec(seed=seed)))
        assert busy.refusals == 0
    busy.refusals = MORE_THAN_THE_LIBRARY_TRIES
    runs, problems = repository.read(place)
    assert [run.spec.seed for run in runs] == [1, 2] and not problems
    assert "Please reduce your request rate" in caplog.text and "asking again, for 3 minutes at most" in caplog.text


def test_a_store_that_stays_busy_ends_the_campaign_and_loses_nothing(
    busy: type[Busy], inside: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = stores.Remote("s3://bucket/runs/mine")
    repository.check_writable(place)
    busy.refusals = 10**6
    with pytest.raises(UsageError, match="cannot be .*Please reduce your request rate.*it should take is kept as"):
        repository.keep(place, make_run())
    (kept,) = tmp_path.glob("aheadbench-kept-*")
    assert stored(kept) == [make_run()]


def test_a_store_that_never_answered_is_said_to_be_out_of_reach_at_once(busy: type[Busy]) -> None:
    busy.refusals = 10**6
    with pytest.raises(UsageError, match="cannot be written: .*Please reduce your request rate"):
        repository.check_writable(stores.Remote("s3://bucket/runs/mine"))
