//! What the program is told to do.

use std::os::unix::process::CommandExt as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::exit;

use crate::fuzzer::{TARGET, chosen, fuzzer};
use crate::{CURRENT, campaign, corpus, coverage, dictionary, named, table, targets};

const HELP: &str = "\
fuzz TARGET [-runs=0 and other arguments of libFuzzer] [FOLDER or FILE...]
        fuzzes a target; without a folder, with its own corpus and dictionary
fuzz replay [TARGET...]             judges every input of the corpora
fuzz explain TARGET FILE            an input as a person reads it, and what does not hold of it
fuzz campaign SECONDS [TARGET...]   fuzzes one after the other in fork mode, and writes LEDGER.md and the table of README.md
fuzz minimise [TARGET...]           merges what campaigns found into the corpora: the smallest that cover the same
fuzz coverage [--write]             compares what the corpora cover with coverage.toml
fuzz table [--write]                compares the table of README.md with targets and ledger
fuzz dictionary TARGET              the file with the words of its inputs
fuzz targets                        lists the targets and what they promise";

/// Called by libFuzzer before it reads its arguments. It returns where this process is to fuzz; else it does what it was told
/// to, and exits.
pub fn begin() {
    let arguments: Vec<String> = std::env::args().collect();
    let (program, arguments) = arguments.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    // OSS-Fuzz has a program for each target: this one, under its name.
    let by_name = Path::new(program).file_name().and_then(|name| named(&name.to_string_lossy()));
    let by_variable = std::env::var(TARGET).ok().and_then(|name| named(&name));
    if let Some(target) = by_name.or(by_variable) {
        CURRENT.get_or_init(|| target);
        return;
    }
    match arguments.split_first() {
        Some((first, rest)) => run(first, rest),
        None => say(HELP),
    }
}

fn run(first: &str, rest: &[String]) {
    let result = match first {
        "replay" => replay(rest),
        "explain" => explain_and_exit(rest.iter().cloned()),
        "campaign" => campaign::run(rest),
        "minimise" => campaign::minimise(rest),
        "coverage" => coverage::run(rest),
        "table" => table::run(rest),
        "targets" => {
            targets().for_each(|target| println!("{:18} {}: {}", target.name, target.input, target.promise));
            Ok(())
        }
        "dictionary" => {
            let found = rest.first().and_then(|name| named(name)).and_then(dictionary);
            found.iter().for_each(|path| println!("{}", path.display()));
            Ok(())
        }
        name => match named(name) {
            Some(target) => Err(fuzzer(target, rest).exec().to_string()),
            None => Err(format!("there is no target and no command {name}\n{HELP}")),
        },
    };
    match result {
        Ok(()) => exit(0),
        Err(why) => fail(&why),
    }
}

fn replay(names: &[String]) -> Result<(), String> {
    for target in chosen(names)? {
        let folder = corpus(target);
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        let begin = std::time::Instant::now();
        for path in &paths {
            let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            // What does not hold ends the process, and this says of which input.
            crate::SHOWN.with(|shown| shown.replace(Some(path.clone())));
            (target.judge)(&bytes);
        }
        println!("{:18} {:5} inputs in {:6} ms", target.name, paths.len(), begin.elapsed().as_millis());
    }
    Ok(())
}

/// `explain TARGET FILE`, as a program of its own.
pub fn explain() {
    explain_and_exit(std::env::args().skip(1))
}

/// Prints an input, and what does not hold of it.
fn explain_and_exit(mut arguments: impl Iterator<Item = String>) -> ! {
    let (Some(name), Some(path)) = (arguments.next(), arguments.next()) else { fail("explain TARGET FILE") };
    let Some(target) = named(&name) else { fail(&format!("there is no target {name}")) };
    let bytes = std::fs::read(&path).unwrap_or_else(|error| fail(&format!("{path}: {error}")));
    // libFuzzer's hook would end the process at the first panic.
    let _ = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let shown = std::panic::catch_unwind(AssertUnwindSafe(|| target.show(&bytes)));
    let judged = std::panic::catch_unwind(AssertUnwindSafe(|| (target.judge)(&bytes)));
    println!("target   {}\ninput    {}: {} bytes of {}", target.name, path, bytes.len(), target.input);
    println!("promise  {}\n", target.promise);
    match shown {
        Ok(text) => println!("{text}"),
        Err(_) => println!("what it decides cannot be run to its end"),
    }
    match judged {
        Ok(()) => say("verdict  it holds"),
        Err(why) => {
            let text = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
            println!("verdict  it does not hold: {}", text.unwrap_or("a panic without words"));
            exit(1);
        }
    }
}

fn say(text: &str) -> ! {
    println!("{text}");
    exit(0)
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    exit(2)
}
