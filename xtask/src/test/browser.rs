//! A headless Chromium, driven by its DevTools protocol over a pipe: no port, no driver program.
//!
//! Messages are JSON with a zero byte behind each. The browser reads them from its descriptor 3 and answers on 4.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many seconds a browser may take for everything.
const TIMEOUT: u32 = 180;

/// Started as root it needs to be told not to lock itself in; everything else keeps it from looking for a network.
const OPTIONS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
     --disable-component-update --disable-sync --hide-scrollbars --force-color-profile=srgb --remote-debugging-pipe";

/// A browser with one page. Dropping it ends it.
pub struct Browser {
    chromium: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    number: u64,
    /// Its settings, which nobody wants to keep.
    _profile: TempDir,
}

/// A key with its code, as the protocol wants it.
#[derive(Clone, Copy)]
pub struct Key(pub &'static str, pub &'static str);

impl Browser {
    /// Starts a browser that shows the file `page` in a window of this size.
    pub fn open(page: &Path, width: u32, height: u32) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut chromium = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "exec timeout {TIMEOUT} chromium {OPTIONS} --user-data-dir=\"$1\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"
            ))
            .arg("sh")
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting chromium")?;
        let mut browser = Self {
            to: chromium.stdin.take().expect("standard input is piped"),
            from: BufReader::new(chromium.stdout.take().expect("standard output is piped")),
            chromium,
            session: None,
            number: 0,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attached = browser.call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        )?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({}))?;
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.call("Emulation.setDeviceMetricsOverride", size)?;
        let url = format!("file://{}", page.display());
        browser.call("Page.navigate", json!({"url": url}))?;
        browser
            .wait_for("document.readyState === 'complete' && typeof showSummary === 'function'")?;
        Ok(browser)
    }

    /// The value of an expression of JavaScript, a promise's once it is kept.
    pub fn value(&mut self, expression: &str) -> Result<Value> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", asked)?;
        if !answer["exceptionDetails"].is_null() {
            bail!(
                "{expression}: {}",
                answer["exceptionDetails"]["exception"]["description"]
            );
        }
        Ok(answer["result"]["value"].clone())
    }

    /// The text of the element that a selector finds.
    pub fn text(&mut self, selector: &str) -> Result<String> {
        let value = self.value(&format!("document.querySelector({selector:?}).textContent"))?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until an expression holds.
    pub fn wait_for(&mut self, expression: &str) -> Result<()> {
        let asked = format!(
            "new Promise((done) => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 10); look(); }})"
        );
        self.value(&asked).map(drop)
    }

    /// Waits until everything that was asked for has been drawn.
    pub fn settle(&mut self) -> Result<()> {
        self.value("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 260))")
            .map(drop)
    }

    /// Types a text where the page's focus is.
    pub fn insert(&mut self, text: &str) -> Result<()> {
        self.call("Input.insertText", json!({"text": text}))
            .map(drop)
    }

    /// Presses and releases a key.
    pub fn key(&mut self, Key(key, code): Key) -> Result<()> {
        let mut down = json!({"type": "keyDown", "key": key, "code": code});
        if key.len() == 1 {
            down["text"] = json!(key);
        }
        if key == "Enter" {
            down["text"] = json!("\r");
            down["windowsVirtualKeyCode"] = json!(13);
        }
        self.call("Input.dispatchKeyEvent", down)?;
        let up = json!({"type": "keyUp", "key": key, "code": code});
        self.call("Input.dispatchKeyEvent", up).map(drop)
    }

    /// Turns the wheel at a point.
    pub fn wheel(&mut self, x: f64, y: f64, by: f64) -> Result<()> {
        let event = json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by});
        self.call("Input.dispatchMouseEvent", event).map(drop)
    }

    /// Presses the mouse's button at one point and releases it at another. `shift` is held meanwhile if asked for.
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64), shift: bool) -> Result<()> {
        let modifiers = if shift { 8 } else { 0 };
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        for (kind, (x, y), buttons) in [
            ("mousePressed", from, 1),
            ("mouseMoved", middle, 1),
            ("mouseMoved", to, 1),
            ("mouseReleased", to, 0),
        ] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1, "modifiers": modifiers,
            });
            self.call("Input.dispatchMouseEvent", event)?;
        }
        Ok(())
    }

    /// Clicks at a point.
    pub fn click(&mut self, at: (f64, f64)) -> Result<()> {
        self.drag(at, at, false)
    }

    /// Moves the mouse to a point.
    pub fn point(&mut self, (x, y): (f64, f64)) -> Result<()> {
        let event = json!({"type": "mouseMoved", "x": x, "y": y});
        self.call("Input.dispatchMouseEvent", event).map(drop)
    }

    /// The page as a PNG file.
    pub fn screenshot(&mut self) -> Result<Vec<u8>> {
        let answer = self.call("Page.captureScreenshot", json!({"format": "png"}))?;
        let data = answer["data"]
            .as_str()
            .context("the browser sent no picture")?;
        Ok(STANDARD.decode(data)?)
    }

    fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).context("speaking to chromium")?;
        loop {
            let mut answer = Vec::new();
            self.from.read_until(0, &mut answer)?;
            if answer.pop() != Some(0) {
                bail!("chromium ended during {method}");
            }
            let mut answer: Value = serde_json::from_slice(&answer)?;
            // Between the answers there are events, which nobody asked for.
            if answer["id"] == json!(self.number) {
                if !answer["error"].is_null() {
                    bail!("{method}: {}", answer["error"]);
                }
                return Ok(answer["result"].take());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.call("Browser.close", json!({}));
        // Killing `timeout` would leave the browser; it ends by itself, or when its time is over.
        let _ = self.chromium.wait();
    }
}
