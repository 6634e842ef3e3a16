//! Prints the matrix of duties and drivers, out of a folder with a report for each driver: see `transports/kit/matrix`.

use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).ok_or_else(|| io::Error::other("name the folder of the reports"))?;
    let mut reports = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        reports.push((entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?));
    }
    reports.sort();
    print!("{}", longshore_transport_kit::matrix(&reports));
    Ok(())
}
