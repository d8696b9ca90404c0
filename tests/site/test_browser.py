"""The site in a real browser: from a file and below a path, without errors, usable by everyone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import axe_script, chromium

from watcher.site.build import build
from watcher.site.serve import open_server
from watcher.store import archive
from watcher.store.engine import open_store

from .conftest import few, report_about

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]
PAGES = (
    "index.html",
    "timeline.html",
    "lineage.html",
    "charts.html",
    "charts-cache.html",
    "charts-active.html",
    "compare.html",
    "models/acme--rocket-1.html",
    "models/google--gemma-3-27b-it.html",
)
NAME = "acme/Rocket-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a report, below another folder."""
    root = tmp_path_factory.mktemp("browser")
    with open_store(f"sqlite:///{root / 'w.db'}") as store:
        with store.begin() as connection:
            archive.keep_report(connection, report_about(NAME))
            for number in range(60):
                archive.keep_report(
                    connection, report_about(f"fleet/Copy-{number}", against=None, day=2, id_=f"c{number}")
                )
        build(root / "www" / "models", store=store, catalog=few())
    return root / "www"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    """Its address on a local server, below a path."""
    with open_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/models/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        opened.set_script_timeout(60)
        yield opened


@pytest.fixture(params=["file", "http"])
def home(request: pytest.FixtureRequest, folder: Path, served: str) -> str:
    """Where the site is: a folder, or a server."""
    return served if request.param == "http" else (folder / "models").as_uri() + "/"


def errors(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def wait(browser: Any, told: Callable[[Any], Any]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 20, poll_frequency=0.05).until(told)


def all_of(browser: Any, selector: str) -> list[Any]:
    return list(browser.find_elements("css selector", selector))


def one(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def choose(browser: Any, name: str, value: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(one(browser, f"[name={name}]")).select_by_value(value)


def test_pages_load_without_a_complaint(browser: Any, home: str) -> None:
    for page in PAGES:
        browser.get(home + page)
        wait(browser, lambda b: b.execute_script("return document.readyState") == "complete")
        assert errors(browser) == [], page
        broken = "return [...document.images].filter(i => i.complete && !i.naturalWidth && i.offsetParent).length"
        assert browser.execute_script(broken) == 0, page


def test_search_and_filters_narrow_the_gallery(browser: Any, home: str) -> None:
    browser.get("about:blank")
    browser.get(home + "index.html")
    assert len(all_of(browser, ".card")) == 48
    one(browser, "[name=q]").send_keys("gemma sliding")
    wait(browser, lambda b: len(all_of(b, ".card")) == 1)
    assert one(browser, "#found").text == "1 model"
    assert one(browser, ".card h3").text == "gemma-3-27b-it"
    assert "q=gemma+sliding" in browser.current_url
    browser.refresh()
    wait(browser, lambda b: len(all_of(b, ".card")) == 1)
    one(browser, "button[type=reset]").click()
    wait(browser, lambda b: one(b, "#found").text == "65 models")
    choose(browser, "attention", "DSA sparse")
    choose(browser, "organization", "acme")
    wait(browser, lambda b: one(b, "#found").text == "1 model")
    choose(browser, "decoder", "dense")
    wait(browser, lambda b: one(b, "#found").text == "0 models")
    assert errors(browser) == []


def test_more_models_are_shown_on_demand(browser: Any, home: str) -> None:
    browser.get("about:blank")
    browser.get(home + "index.html")
    one(browser, "#more").click()
    wait(browser, lambda b: len(all_of(b, ".card")) == 65)
    names = [card.text for card in all_of(browser, ".card h3")]
    assert len(set(names)) == 65
    assert not one(browser, "#more").is_displayed()


def test_the_order_can_be_changed(browser: Any, home: str) -> None:
    browser.get("about:blank")
    browser.get(home + "index.html")
    choose(browser, "sort", "cache")
    wait(browser, lambda b: one(b, ".card h3").text in ("DeepSeek-V3", "Kimi-K2-Instruct"))
    choose(browser, "sort", "small")
    wait(browser, lambda b: one(b, ".card h3").text == "gemma-3-27b-it")


def test_any_two_models_can_be_compared(browser: Any, home: str) -> None:
    browser.get("about:blank")
    browser.get(home + "compare.html#a=deepseek-ai--deepseek-v3&b=acme--rocket-1")
    table = wait(browser, lambda b: one(b, "#result table"))
    assert "layers 61 78" in table.text
    assert "facts differ" in one(browser, "#said").text
    assert len(all_of(browser, "#result .sketch img.light")) == 2
    rows = len(all_of(browser, "#result tr"))
    one(browser, "[name=only]").click()
    wait(browser, lambda b: len(all_of(b, "#result tr")) < rows)
    box = one(browser, "[name=a]")
    box.clear()
    box.send_keys(NAME)
    one(browser, "[name=b]").click()
    wait(browser, lambda b: one(b, "#said").text == "No fact differs.")
    assert errors(browser) == []


def test_the_theme_can_be_switched_and_is_kept(browser: Any, served: str) -> None:
    browser.get(served + "models/acme--rocket-1.html")
    button = one(browser, "#theme")
    before = button.text
    shown = "return getComputedStyle(document.querySelector('img.dark')).display"
    first = browser.execute_script(shown)
    button.click()
    assert button.text != before
    assert browser.execute_script(shown) != first
    browser.refresh()
    assert browser.execute_script(shown) != first
    one(browser, "#theme").click()


def test_a_charts_points_tell_their_model_to_mouse_and_keyboard(browser: Any, home: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.get(home + "charts-cache.html")
    told = one(browser, "#point")
    ActionChains(browser).move_to_element(all_of(browser, ".chart a")[0]).perform()
    wait(browser, lambda b: "per token" in told.text)
    reached = all_of(browser, '.chart a[tabindex="0"]')
    assert len(reached) == 1
    browser.execute_script("arguments[0].focus()", reached[0])
    first = told.text
    ActionChains(browser).send_keys(Keys.END).perform()
    assert "Kimi-K2-Instruct" in told.text != first
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait(browser, lambda b: b.current_url.endswith("models/moonshotai--kimi-k2-instruct.html"))
    assert errors(browser) == []


def test_the_keyboard_reaches_the_content_first(browser: Any, served: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.get("about:blank")
    browser.get(served + "index.html")
    ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element.text == "Skip to the content"
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.switch_to.active_element.get_attribute("id") == "main"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, served: str, theme: str) -> None:
    axe = axe_script()
    for page in (*PAGES, "compare.html#a=deepseek-ai--deepseek-v3&b=acme--rocket-1"):
        browser.get("about:blank")
        browser.get(served + page)
        browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
        if "#" in page:
            wait(browser, lambda b: one(b, "#result table"))
        browser.execute_script(axe)
        found = browser.execute_async_script(
            "axe.run({preload: false}).then(r => arguments[0](r.violations"
            ".filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes[0].html)))"
        )
        assert found == [], page
    browser.get_log("browser")


def test_nothing_is_wider_than_a_phone(browser: Any, served: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        for page in PAGES:
            browser.get(served + page)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= 360, page
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_scripts_the_content_is_there(tmp_path: Path, folder: Path) -> None:
    with chromium(tmp_path / "profile", "--blink-settings=scriptEnabled=false") as browser:
        browser.get((folder / "models/index.html").as_uri())
        assert len(all_of(browser, ".card")) == 48
        assert not one(browser, "#filters").is_displayed()
        one(browser, ".card h3 a").click()
        assert all_of(browser, "table.facts")
