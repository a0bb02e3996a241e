//! `ravelin inspect --step`: a walk through connections, a step at a time.
//!
//! - `tour` has the places of a connection where one can stop, and what is told there.
//! - `state` is where somebody is, and where keys lead; `view` draws it. Neither knows a terminal.
//! - `screen` takes the terminal and gives it back, `keys` reads it.

use std::io::{self, IsTerminal as _, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

use ravelin_lens::text::Options;
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::inspect::InspectArguments;
use crate::failure::{self, Failure};
use crate::words::inspect::Errors;

mod keys;
mod screen;
mod state;
#[cfg(test)]
mod tests;
mod tour;
mod view;
mod wrap;

use screen::Screen;
use state::{Next, State};
pub(super) use tour::{Page, Tour};

/// That there is a terminal to walk on, and one connection, before anything is looked at.
pub(super) fn check(arguments: &InspectArguments) -> Result<(), Failure> {
    let errors = super::errors(arguments);
    if arguments.listen.is_some() && !arguments.once {
        return Err(errors.one_client());
    }
    if arguments.capture.pcap.as_deref() == Some(Path::new("-")) {
        return Err(errors.keys_or_capture());
    }
    let term = std::env::var("TERM").unwrap_or_default();
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(errors.no_terminal());
    }
    if matches!(term.as_str(), "" | "dumb") {
        return Err(errors.dumb_terminal(&term));
    }
    Ok(())
}

/// Walks through connections until somebody has seen enough. The exit code, where something else ended it.
pub(super) fn walk(tours: Vec<Tour<'_>>, options: &Options) -> Result<Option<ExitCode>, Failure> {
    let colour = anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never;
    let options = Options { colour, ..*options };
    let mut state = State::new(tours, &options);
    let errors = Errors::of(options.language);
    let failed = |error: io::Error| errors.terminal_failed(&error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        // Before the terminal is taken: no signal may end the program from then on.
        let mut events = Events::listen().map_err(failed)?;
        let mut screen = Screen::take().map_err(failed)?;
        let ended = events.live(&mut state, &mut screen).await;
        drop(screen);
        match ended {
            // The terminal was closed, and its signal comes too late.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                Ok(Some(ExitCode::from(failure::HUNG_UP)))
            }
            ended => ended.map_err(failed),
        }
    })
}

/// What the walk waits for.
struct Events {
    resized: Signal,
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Signal,
}

impl Events {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            resized: signal(SignalKind::window_change())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn live(
        &mut self,
        state: &mut State<'_>,
        screen: &mut Screen,
    ) -> io::Result<Option<ExitCode>> {
        let mut typed = keys::typed()?;
        loop {
            screen.draw(state)?;
            let pressed = tokio::select! {
                // Without a terminal there is nobody who could press one.
                key = typed.recv() => key.ok_or(failure::HUNG_UP),
                _ = self.resized.recv() => continue,
                _ = self.interrupt.recv() => Err(failure::INTERRUPTED),
                _ = self.terminate.recv() => Err(failure::TERMINATED),
                _ = self.quit.recv() => Err(failure::QUIT),
                _ = self.hangup.recv() => Err(failure::HUNG_UP),
            };
            let key = match pressed {
                Ok(key) => key,
                Err(code) => return Ok(Some(ExitCode::from(code))),
            };
            match state.press(key) {
                Next::Draw => {}
                Next::Repaint => screen.forget()?,
                Next::Suspend => screen.suspend()?,
                Next::Leave => return Ok(None),
            }
        }
    }
}
