//! What holds for all commands: the table of arguments is sound, and each help shows examples that
//! the parser takes.

use clap::{Command, CommandFactory as _, Parser as _};

use super::Arguments;

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_help_has_two_examples_that_the_parser_takes() {
    each(&Arguments::command(), &mut |command| {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let examples: Vec<_> = help.lines().filter(|line| line.starts_with("  ")).collect();
        assert!(
            help.starts_with("Examples:\n"),
            "{}: {help}",
            command.get_name()
        );
        assert!(examples.len() >= 2, "{}: {help}", command.get_name());
        for example in examples {
            let at = example.find("ravelin ").unwrap();
            // What follows is the shell's.
            let end = example[at..]
                .find(['#', '>', '|', ')', '&'])
                .unwrap_or(example.len() - at);
            let words = example[at..at + end]
                .split_whitespace()
                .map(|word| word.trim_matches('\''));
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    });
}

#[test]
fn every_argument_has_a_help_line() {
    each(&Arguments::command(), &mut |command| {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{}: {argument}",
                command.get_name()
            );
        }
    });
}

fn each(command: &Command, act: &mut impl FnMut(&Command)) {
    act(command);
    for below in command.get_subcommands() {
        each(below, act);
    }
}
