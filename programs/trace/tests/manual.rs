//! The manual page is well formed for both of the programs that show it.

use std::process::Command;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.1");

#[test]
fn mandoc_finds_nothing_wrong() {
    let output = Command::new("mandoc")
        .args(["-Tlint", "-Wwarning", PAGE])
        .output()
        .expect("mandoc is needed for this test: apt-get install mandoc");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn man_shows_it_without_warnings() {
    let output = Command::new("man")
        .args(["--warnings", "--local-file", PAGE])
        .env("MANWIDTH", "80")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("man is needed for this test: apt-get install man-db");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("trace system calls and signals"), "{text}");
}
