//! The page about a stack in a browser: Chromium opens it, presses keys, and says what it objects to.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{text, vigil};
use tempfile::TempDir;

/// A browser with one page, which is spoken to by a pair of pipes: DevTools' protocol, a message up to each zero byte.
struct Browser {
    process: Child,
    requests: File,
    answers: BufReader<File>,
    session: Value,
    last: u64,
    /// What the browser told unasked.
    told: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    fn start(chromium: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let pipes = ["requests", "answers"].map(|name| profile.path().join(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        // Root cannot start it with its sandbox; the page is ours.
        let start = "exec \"$0\" --headless --no-sandbox --disable-gpu --remote-debugging-pipe --window-size=1280,900 \
                     --user-data-dir=\"$1\" about:blank 3<\"$2\" 4>\"$3\"";
        let mut command = Command::new("bash");
        command.args(["-c", start]).arg(chromium).arg(profile.path().join("profile")).args(&pipes);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let requests = File::create(&pipes[0]).unwrap();
        let answers = BufReader::new(File::open(&pipes[1]).unwrap());
        let mut browser =
            Self { process, requests, answers, session: Value::Null, last: 0, told: Vec::new(), _profile: profile };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    fn next(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert!(!message.is_empty(), "the browser has gone");
        serde_json::from_slice(&message[..message.len() - 1]).unwrap()
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.requests.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.next();
            if answer["id"] == self.last {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.told.push(answer);
        }
    }

    fn open(&mut self, page: &Path) {
        self.ask("Page.navigate", &json!({ "url": format!("file://{}", page.display()) }));
        while !self.told.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next();
            self.told.push(event);
        }
    }

    /// What an expression of JavaScript is.
    fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    fn press(&mut self, key: &str, code: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has gone already is not there to be ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What has the focus: its words, whether one sees it, and whether it comes behind the one before.
const FOCUSED: &str = "(() => {
    const it = document.activeElement, box = it.getBoundingClientRect(), before = window.before
    window.before = it
    const follows = !before || !!(before.compareDocumentPosition(it) & Node.DOCUMENT_POSITION_FOLLOWING)
    const seen = box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight
    const ring = getComputedStyle(it).outlineStyle !== 'none'
    return { tag: it.tagName, text: it.textContent.trim().slice(0, 60), href: it.getAttribute('href'), follows, seen, ring }
})()";

/// What makes the page wider than the screen: the innermost elements, but for those that scroll by themselves.
const WIDER: &str = "(() => {
    const page = document.documentElement
    if (page.scrollWidth <= page.clientWidth) return []
    const wide = [...document.querySelectorAll('body *')].filter(it =>
        it.getBoundingClientRect().right > page.clientWidth && !it.parentElement.closest('.wide, .picture, pre'))
    const inner = wide.filter(it => !wide.some(other => it !== other && it.contains(other)))
    return [page.scrollWidth, ...inner.map(it => it.outerHTML.slice(0, 200))]
})()";

#[test]
fn the_page_is_used_by_keys_alone_and_nothing_objects() {
    let Some(chromium) = tools::chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = support::root();
    let arguments = ["report", "--stack", "stacks/tutorial.yaml", "--previews", "docs/dashboards"];
    let output = vigil(root, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let page = folder.path().join("report.html");
    fs::write(&page, output.stdout).unwrap();
    let mut browser = Browser::start(&chromium);
    browser.open(&page);

    // The order of keys: past the sections to the content, then each section, then what scrolls and unfolds.
    browser.press("Tab", 9);
    let skip = browser.value(FOCUSED);
    assert_eq!((&skip["href"], &skip["seen"]), (&json!("#content"), &json!(true)), "{skip}");
    let sections = browser.value("[...document.querySelectorAll('nav a')].map(it => it.getAttribute('href'))");
    for section in sections.as_array().unwrap() {
        browser.press("Tab", 9);
        let focused = browser.value(FOCUSED);
        assert_eq!(&focused["href"], section, "{focused}");
        for wanted in ["follows", "seen", "ring"] {
            assert_eq!(focused[wanted], true, "{wanted}: {focused}");
        }
    }
    for _ in 0..60 {
        browser.press("Tab", 9);
        let focused = browser.value(FOCUSED);
        for wanted in ["follows", "seen", "ring"] {
            assert_eq!(focused[wanted], true, "{wanted}: {focused}");
        }
    }

    // Each section is reached, and not behind what stays at the top.
    for section in sections.as_array().unwrap() {
        let reached = format!(
            "(async () => {{
                document.querySelector(`nav a[href=\"${{{section}}}\"]`).click()
                await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))
                const nav = document.querySelector('nav').getBoundingClientRect()
                const box = document.querySelector({section}).getBoundingClientRect()
                return location.hash === {section} && box.top >= nav.bottom - 1 && box.top < innerHeight
            }})()"
        );
        assert_eq!(browser.value(&reached), true, "{section}");
    }

    // All that is folded, the pictures among it, on a wide and a narrow screen.
    let unfolded = "(async () => {
        document.querySelectorAll('details').forEach(it => it.open = true)
        const images = [...document.images]
        images.forEach(it => it.loading = 'eager')
        await Promise.all(images.map(it => it.decode()))
        return images.filter(it => it.naturalWidth > 500 && it.alt).length
    })()";
    assert!(browser.value(unfolded).as_u64().unwrap() > 30, "pictures");
    for width in [1280, 390] {
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        browser.ask("Emulation.setDeviceMetricsOverride", &screen);
        assert_eq!(browser.value(WIDER), json!([]), "wider than a screen of {width}");
    }

    let objected: Vec<_> = browser
        .told
        .iter()
        .filter(|event| match event["method"].as_str().unwrap_or_default() {
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => true,
            "Network.requestWillBeSent" => {
                let url = event["params"]["request"]["url"].as_str().unwrap();
                !url.starts_with("data:") && !url.starts_with("file:///") && url != "about:blank"
            }
            _ => false,
        })
        .collect();
    assert!(objected.is_empty(), "{objected:?}");
}
