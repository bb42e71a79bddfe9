"""Fixtures: a service, a farm and a PostgreSQL cluster for each file of tests."""
import pytest

from harness import Cluster, Service


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the services said is part of a failure's report."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for service in Service.live:
            report.sections.append((f"said by {service.state}", service.words()[-2500:]))


@pytest.fixture(scope="module")
def service():
    service = Service().start()
    yield service
    service.close()


@pytest.fixture(scope="module")
def api(service):
    return service.api


@pytest.fixture(scope="session")
def cluster():
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture
def made():
    """made(thing): closes the thing when the test is over, the newest first."""
    things = []

    def keep(thing):
        things.append(thing)
        return thing

    yield keep
    for thing in reversed(things):
        thing.close()
