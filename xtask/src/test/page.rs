//! The page that `--html` makes, in a browser: what a person does with mouse and keys, and what comes of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use image::workspace;
use trace::html;
use trace::record::Record;

use super::browser::{Browser, Key};
use super::made_up::{many, script};
use super::{Tally, report};

type Check = fn(&Path) -> Result<()>;

const CHECKS: [(&str, Check); 4] = [
    ("page::it_shows_a_trace_and_what_it_counts", shows),
    ("page::it_finds_and_steps_through_hits", finds),
    ("page::it_zooms_moves_and_measures", zooms),
    (
        "page::a_hundred_thousand_events_are_drawn_at_once",
        draws_many,
    ),
];

/// Runs the checks whose names contain the filter.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    let folder = pictures()?;
    for (name, check) in CHECKS {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let failure = check(&folder).err();
        tally.add(report(name, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

/// Where the pages and what they look like are left, to be looked at.
fn pictures() -> Result<PathBuf> {
    let folder = workspace::machine_folder().join("pages");
    fs::create_dir_all(&folder)?;
    Ok(fs::canonicalize(folder)?)
}

const WIDTH: u32 = 1400;
const HEIGHT: u32 = 820;
/// A place on the timeline.
const PLACE: (f64, f64) = (600.0, 300.0);

fn open(folder: &Path, name: &str, records: &[Record]) -> Result<Browser> {
    let page = folder.join(name).with_extension("html");
    fs::write(&page, html::page(records))?;
    let mut browser = Browser::open(&page, WIDTH, HEIGHT)?;
    browser.settle()?;
    Ok(browser)
}

fn keep(browser: &mut Browser, folder: &Path, name: &str) -> Result<()> {
    let picture = browser.screenshot()?;
    ensure!(
        picture.starts_with(b"\x89PNG"),
        "the picture is no PNG file"
    );
    Ok(fs::write(folder.join(name).with_extension("png"), picture)?)
}

/// How many nanoseconds are in view.
fn span(browser: &mut Browser) -> Result<f64> {
    Ok(browser.value("span()")?.as_f64().unwrap_or_default())
}

fn shows(folder: &Path) -> Result<()> {
    let mut browser = open(folder, "trace", &script())?;
    ensure!(
        browser.text("#command")? == "sh -c make",
        "the command is not shown"
    );
    let summary = browser.text("#summary")?;
    ensure!(
        summary.starts_with("423 calls · 5 tasks · 20 failed"),
        "{summary}"
    );
    let first = browser.text("#statistics tbody tr td")?;
    ensure!(first == "wait4", "the longest call is {first}");
    // What is drawn is colourful: a blank canvas has a handful of colours.
    let colours = "new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size";
    let colours = browser.value(colours)?.as_u64().unwrap_or_default();
    ensure!(colours > 60, "the timeline has {colours} colours");
    keep(&mut browser, folder, "light")?;
    browser.key(Key("t", "KeyT"))?;
    browser.settle()?;
    let theme = browser.value("document.documentElement.dataset.theme")?;
    ensure!(theme == "dark", "the theme is {theme}");
    keep(&mut browser, folder, "dark")
}

fn finds(folder: &Path) -> Result<()> {
    let mut browser = open(folder, "trace", &script())?;
    for (words, expected) in [
        ("ENOENT", "20 hits"),
        ("call:read", "160 hits"),
        ("/usr/include", "20 hits"),
        ("path:main.c pid:102", "2 hits"),
        ("!call:read", "276 hits"),
        (">1s", "no hits"),
        ("SIGCHLD", "8 hits"),
    ] {
        browser.key(Key("Escape", "Escape"))?;
        browser.key(Key("/", "Slash"))?;
        browser.insert(words)?;
        browser.settle()?;
        let found = browser.text("#hits")?;
        ensure!(found == expected, "{words}: {found}, not {expected}");
    }
    browser.key(Key("Escape", "Escape"))?;
    browser.key(Key("/", "Slash"))?;
    browser.insert("enoent")?;
    browser.settle()?;
    browser.key(Key("Enter", "Enter"))?;
    browser.settle()?;
    ensure!(
        browser.text("#hits")? == "1 / 20",
        "Enter does not go to the first hit"
    );
    let details = browser.text("#details")?;
    ensure!(
        details.contains("openat") && details.contains("ENOENT") && details.contains("stdio.h"),
        "{details}"
    );
    let whole = span(&mut browser)?;
    browser.value("canvas.focus()")?;
    browser.key(Key("n", "KeyN"))?;
    browser.key(Key("n", "KeyN"))?;
    browser.key(Key("N", "KeyN"))?;
    browser.key(Key("f", "KeyF"))?;
    browser.settle()?;
    ensure!(
        browser.text("#hits")? == "2 / 20",
        "N does not step: {}",
        browser.text("#hits")?
    );
    ensure!(
        span(&mut browser)? < whole / 4.0,
        "F does not zoom to the hit"
    );
    keep(&mut browser, folder, "search")?;
    browser.key(Key("Escape", "Escape"))?;
    browser.settle()?;
    ensure!(
        browser.text("#hits")?.is_empty(),
        "Escape leaves the search"
    );
    browser.value("document.querySelector('tr[data-name=read]').click()")?;
    browser.settle()?;
    ensure!(
        browser.text("#hits")? == "160 hits",
        "a row of the statistics does not search for its call"
    );
    Ok(())
}

fn zooms(folder: &Path) -> Result<()> {
    let mut browser = open(folder, "trace", &script())?;
    let whole = span(&mut browser)?;
    for _ in 0..6 {
        browser.wheel(PLACE.0, PLACE.1, -240.0)?;
    }
    browser.settle()?;
    let near = span(&mut browser)?;
    ensure!(
        near < whole / 6.0,
        "the wheel does not zoom: {whole} to {near}"
    );
    let before = browser.text("#range")?;
    browser.drag(PLACE, (PLACE.0 - 150.0, PLACE.1), false)?;
    browser.settle()?;
    let after = browser.text("#range")?;
    ensure!(before != after, "dragging does not move");
    ensure!((span(&mut browser)? - near).abs() < 1.0, "dragging zooms");
    browser.key(Key("0", "Digit0"))?;
    browser.settle()?;
    ensure!(
        (span(&mut browser)? - whole).abs() < 1.0,
        "0 does not show everything"
    );
    browser.drag((400.0, 300.0), (700.0, 300.0), true)?;
    browser.settle()?;
    let range = browser.text("#range")?;
    ensure!(
        range.starts_with("measured "),
        "Shift does not measure: {range}"
    );
    let calls = "[...document.querySelectorAll('#statistics tbody td:nth-child(2)')].reduce((sum, cell) => sum + Number(cell.textContent.replace(',', '')), 0)";
    let counted = browser.value(calls)?.as_u64().unwrap_or_default();
    ensure!(
        (1..423).contains(&counted),
        "{counted} calls are counted in the range"
    );
    browser.point((520.0, 236.0))?;
    browser.settle()?;
    keep(&mut browser, folder, "measure")?;
    browser.click((520.0, 236.0))?;
    browser.settle()?;
    let details = browser.text("#details")?;
    ensure!(
        details.contains("took"),
        "a click does not select: {details}"
    );
    browser.key(Key(".", "Period"))?;
    browser.settle()?;
    ensure!(
        browser.text("#details")? != details,
        "a point does not lead to the next event"
    );
    Ok(())
}

fn draws_many(folder: &Path) -> Result<()> {
    const MANY: u64 = 100_000;
    let mut browser = open(folder, "many", &many(MANY))?;
    ensure!(
        browser.text("#summary")?.starts_with("100,000 calls"),
        "{}",
        browser.text("#summary")?
    );
    // The best of ten: what else the computer does meanwhile is not the page's.
    let fastest = "Math.min(...Array.from({ length: 10 }, () => { const begun = performance.now(); draw(); drawOverview(); return performance.now() - begun; }))";
    let frame = browser.value(fastest)?.as_f64().unwrap_or(f64::MAX);
    let search = "(() => { const begun = performance.now(); runSearch('enoent path:lib'); return performance.now() - begun; })()";
    let found = browser.value(search)?.as_f64().unwrap_or(f64::MAX);
    println!("    a frame takes {frame:.0} ms, a search {found:.0} ms");
    ensure!(frame < 200.0, "a frame takes {frame} ms");
    ensure!(found < 1000.0, "a search takes {found} ms");
    browser.settle()?;
    keep(&mut browser, folder, "many")
}
