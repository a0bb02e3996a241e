//! `ravelin completions` and `ravelin man`: both are made from the table of arguments.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::failure::Failure;
use crate::words;

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "ravelin",
        &mut script,
    );
    words::result(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    let mut command = Arguments::command();
    // Without this, pages below the first would be headed `serve` and not `ravelin-serve`.
    command.build();
    match &arguments.folder {
        None => words::result(&page(&command))?,
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
            let mut written = 0;
            write_pages(&command, folder, &mut written)?;
            words::pages_written(written, folder);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &Command, folder: &Path, written: &mut usize) -> Result<(), Failure> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let file = folder.join(format!("{name}.1"));
    fs::write(&file, page(command)).map_err(|error| cannot_write(&file, &error))?;
    *written += 1;
    command
        .get_subcommands()
        .try_for_each(|below| write_pages(below, folder, written))
}

fn page(command: &Command) -> String {
    let mut page = Vec::new();
    // A vector takes all that is written to it.
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::local(format!("cannot write \"{}\": {error}", path.display()))
}
