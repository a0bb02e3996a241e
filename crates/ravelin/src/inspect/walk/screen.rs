//! The terminal, taken for the walk and given back as it was, whatever ends the walk.

use std::io::{self, BufWriter, Stdout, stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::process::{Signal, getpid, kill_process};

use super::state::State;
use super::view;

/// A terminal that shows the walk and nothing else. What it showed before comes back when this is dropped.
pub(super) struct Screen {
    /// Dropped, it would tell a terminal that is gone that its cursor could not be shown, and panic.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    hold: Hold,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, stdout()));
        // From here on it is given back.
        let screen = Self {
            terminal: ManuallyDrop::new(Terminal::new(backend)?),
            hold: Hold::default(),
        };
        let (hold, before) = (screen.hold.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            // What is told of it would be gone with the screen.
            hold.give_back();
            before(panic);
        }));
        screen.hold.take()?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, state: &mut State<'_>) -> io::Result<()> {
        // A terminal that understands it shows a picture whole or not at all.
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| {
            state.resize(frame.area());
            view::draw(state, frame.buffer_mut());
        })?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Draws all of it anew, at the next time.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where its cursor is, and wait for what keys are read from.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Lets the shell have the terminal until it lets the program go on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        self.hold.give_back();
        let stopped = kill_process(getpid(), Signal::TSTP);
        self.hold.take()?;
        stopped?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.hold.give_back();
        if !thread::panicking() {
            // The program has no hook of its own that would have to come back.
            drop(panic::take_hook());
        }
    }
}

/// Whether the terminal is taken. It is given back once: a second time would move its cursor over what was said
/// since.
#[derive(Clone, Default)]
struct Hold(Arc<AtomicBool>);

impl Hold {
    fn take(&self) -> io::Result<()> {
        self.0.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        // Terminals that have no second screen show the first.
        execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All))
    }

    /// One that is gone takes nothing any more.
    fn give_back(&self) {
        if self.0.swap(false, Ordering::SeqCst) {
            let _ = execute!(stdout(), EndSynchronizedUpdate, LeaveAlternateScreen, Show);
            let _ = disable_raw_mode();
        }
    }
}

/// How many octets a picture has at most, more or less: they are written together.
const FRAME: usize = 32 << 10;
