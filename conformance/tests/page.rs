//! The report's page, in a real browser where there is one: Debian's `chromium`.

use std::path::Path;
use std::process::Command;

use longshore_conformance::page;
use longshore_conformance::suite::{InMemory, Suite, SuiteOptions};
use longshore_core::Target;
use longshore_mock_registry::report::{Check, CheckStatus, Clause, Level, Report, ReportKind};
use longshore_mock_registry::{Behaviour, Registry, RegistryOptions};

/// A report of a registry that fails some requirements.
fn report() -> Report {
    let mut behaviour = Behaviour::default();
    behaviour.chunks.out_of_order = 500;
    behaviour.read.ranges = false;
    let registry = InMemory::new(Registry::new(RegistryOptions::default().with_behaviour(behaviour)));
    let origin = Target::parse("http://registry.example").unwrap().origin().clone();
    let mut options = SuiteOptions::new(origin, "conformance".parse().unwrap());
    options.filters = ["pull-blob", "push-trouble", "mount-"].map(str::to_owned).into();
    options.parallel = 1;
    Suite::new(&registry, options).run()
}

/// The document as the browser has it after the page's script ran; nothing where there is no browser.
fn drawn(html: &str, fragment: &str, size: &str) -> Option<String> {
    let Some(browser) = ["chromium", "chromium-browser"].into_iter().find(|name| is_there(name)) else {
        eprintln!("SKIPPED: there is no chromium here; the page was not drawn");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html).unwrap();
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=5000"])
        .args([&profile, &format!("--window-size={size}"), "--dump-dom"])
        .arg(format!("file://{}{fragment}", file.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn is_there(name: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| Path::new(&folder).join(name).is_file())
}

#[test]
fn the_page_asks_for_nothing_from_anywhere() {
    let html = page::html(&report());
    assert!(html.contains("default-src 'none'"));
    for request in [" src=", "url(", "@import", "fetch(", "XMLHttpRequest", "<link rel=\"stylesheet"] {
        assert!(!html.contains(request), "{request}");
    }
}

#[test]
fn every_check_is_drawn_and_the_verdict_with_it() {
    let report = report();
    let html = page::html(&report);
    let Some(document) = drawn(&html, "#push-trouble-gap", "1200,900") else { return };
    assert!(document.contains("http://registry.example does not conform"));
    assert_eq!(document.matches("<details class=\"check\"").count(), report.checks.len());
    let failed = report.checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
    assert!(document.contains(&format!("✗ failed {failed}")), "the filters count");
    // The one that the address names is open: its clause, its exchanges and its commands.
    assert!(document.contains("If a chunk is uploaded out of order") && document.contains("arrow out"));
    assert!(document.contains("curl -i -X POST") && document.contains("spec.md#pushing-a-blob-in-chunks"));
}

#[test]
fn on_a_telephone_nothing_is_wider_than_the_screen() {
    let html = page::html(&report());
    // The title says it once the page's own script has drawn everything.
    let (before, after) = html.rsplit_once("</script>").unwrap();
    let measure = "document.title = `${document.documentElement.scrollWidth} of ${innerWidth}`;";
    let html = format!("{before}{measure}</script>{after}");
    let Some(document) = drawn(&html, "#push-trouble-gap", "500,900") else { return };
    let title = document.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    let (wide, screen) = title.split_once(" of ").unwrap();
    assert!(wide.parse::<u32>().unwrap() <= screen.parse::<u32>().unwrap(), "{title}");
}

#[test]
fn what_a_registry_says_becomes_no_markup() {
    let text = "</script><script>document.title = 'taken over'</script><img src=x onerror=alert(1)>";
    let mut report = Report::new(ReportKind::Registry, text);
    let mut check = Check::new("a", text, Level::Must, Clause::other(text)).failed(text);
    check.title = text.to_owned();
    report.checks.push(check);
    let html = page::html(&report);
    assert_eq!(html.matches("<script").count(), 2);
    let Some(document) = drawn(&html, "#a", "1200,900") else { return };
    assert!(!document.contains("<title>taken over") && !document.contains("<img"), "{document}");
}
