"""A request on a real Gitea, in a real browser: its page is read, its button is pressed, and what main names then is what is served.

Skips by name where gitea, chromium, chromedriver or selenium (``pip install selenium``; it is in no lock) is not there. With
ARGOSY_SCREENSHOTS, a folder, the page is kept as people saw it.
"""

import datetime
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.promotion import approval
from argosy.settings import Settings
from argosy.testing.forge_contract import TEMPLATE
from kit.gitea_server import ADMINISTRATOR, PASSWORD, GiteaServer, gitea_server
from kit.offered import offer
from kit.toy import Toy

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    programs = {name: os.environ.get(name.upper()) or shutil.which(name) for name in ("chromium", "chromedriver")}
    for name, program in programs.items():
        if not program:
            pytest.skip(f"{name} is neither on PATH nor named by {name.upper()}")
    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"]
    profile = tmp_path_factory.mktemp("profile")
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1400,3000",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(word)
    browser = webdriver.Chrome(service=Service(programs["chromedriver"]), options=options)
    browser.set_page_load_timeout(PATIENCE_SECONDS)
    browser.implicitly_wait(PATIENCE_SECONDS / 4)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """One for all."""
    with gitea_server(tmp_path_factory.mktemp("gitea")) as running:
        yield running


@pytest.fixture
def settings(server: GiteaServer, here: Settings, monkeypatch: pytest.MonkeyPatch, root: Path) -> Settings:
    """As of a project whose environment repo is there."""
    folded = {".gitattributes": (root / "gitops-env" / ".gitattributes").read_bytes()}
    repository = server.repository({**TEMPLATE, **folded})
    uri = f"gitea:{server.address}/{repository}"
    for name, value in (
        ("ARGOSY_HOME", str(here.home)),
        ("ARGOSY_DATA_ROOT", str(here.data_root)),
        ("ARGOSY_FORGE_URI", uri),
        ("ARGOSY_FORGE_TOKEN", server.token),
    ):
        monkeypatch.setenv(name, value)
    return replace(here, forge_uri=uri, forge_token=server.token)


@pytest.fixture
def page(reviewer: Any, settings: Settings, toy: Toy) -> str:
    """The address of request 1, for somebody who is signed in."""
    offer(toy, settings, MemoryRegistry(datetime.datetime.now(datetime.UTC)))
    return wiring.forge(settings).request(1).url


@pytest.fixture(scope="module")
def reviewer(driver: Any, server: GiteaServer) -> Any:
    """The browser of somebody who is signed in."""
    from selenium.webdriver.common.by import By

    driver.get(f"{server.address}/user/login")
    driver.find_element(By.ID, "user_name").send_keys(ADMINISTRATOR)
    driver.find_element(By.ID, "password").send_keys(PASSWORD)
    driver.find_element(By.CSS_SELECTOR, "form button.primary").click()
    driver.find_element(By.CSS_SELECTOR, "#navbar")
    return driver


def test_the_page_is_read_and_the_button_pressed(
    driver: Any, page: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The evidence is a table, not its source; nothing of our marks is seen; a click merges it, and that version is what is served."""
    from selenium.webdriver.common.by import By

    with pytest.raises(errors.Rejected, match="no version of toy is approved for staging"):
        approval.find(wiring.forge(settings), "toy", "staging")
    driver.get(page)
    text = driver.find_element(By.CSS_SELECTOR, ".comment-body").text
    assert "| --- |" not in text
    assert "<!--" not in text
    assert "How to check it" in text
    assert driver.find_elements(By.CSS_SELECTOR, ".comment-body table")
    _kept(driver, "request")
    _opener(driver).click()  # it shows what the commit is to say, and the button that makes it
    driver.find_element(By.CSS_SELECTOR, "button[name=do]").click()
    _until_merged(driver)
    _kept(driver, "merged")
    found = approval.find(wiring.forge(settings), "toy", "staging")
    assert (found.version.version, found.signature is not None) == (1, True)
    assert main.run(["pr", "after-merge", "1"]) == errors.DONE
    assert "opened #2: Promote toy version 1 to production" in capsys.readouterr().out


def test_what_changes_what_is_served_is_seen_first(driver: Any, page: str) -> None:
    """Signatures and evidence are folded, version.yaml is not."""
    from selenium.webdriver.common.by import By

    driver.get(f"{page}/files")
    folded = {
        box.get_attribute("data-new-filename").rpartition("/")[2]: box.get_attribute("data-folded")
        for box in driver.find_elements(By.CSS_SELECTOR, ".diff-file-box")
    }
    _kept(driver, "files")
    assert {name for name, value in folded.items() if value == "true"} == {
        "bundle.sig",
        "evidence.sig",
        "evidence.json",
        "evidence.md",
    }
    assert folded["version.yaml"] != "true"


def _opener(driver: Any) -> Any:
    from selenium.webdriver.common.by import By

    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = [one for one in driver.find_elements(By.CSS_SELECTOR, "button") if one.text == "Create merge commit"]
        if found:
            return found[0]
        assert time.monotonic() < end, "Gitea shows no button that merges"
        driver.refresh()  # while it looks for conflicts it has none


def _until_merged(driver: Any) -> None:
    """Wait for the page to say so; going anywhere meanwhile would take the click back."""
    end = time.monotonic() + PATIENCE_SECONDS
    while driver.execute_script("return document.querySelector('.issue-state-label')?.textContent.trim()") != "Merged":
        assert time.monotonic() < end, "the click merged nothing"
        time.sleep(0.1)


def _kept(driver: Any, name: str) -> None:
    if folder := os.environ.get("ARGOSY_SCREENSHOTS"):
        driver.save_screenshot(str(Path(folder) / f"{name}.png"))
