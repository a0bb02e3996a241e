//! Where somebody is on the walk, and where each key leads. No terminal is needed for it.

use ratatui::layout::Rect;
use ratatui::text::Line;
use ravelin_lens::text::{self, Detail, Options};

use super::tour::{self, Tour};
use super::view::Panes;
use super::wrap;
use crate::words::inspect::WalkWords;

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Space,
    Home,
    End,
    Tab,
    BackTab,
    Enter,
    Help,
    Leave,
    Interrupt,
    Suspend,
    Repaint,
    /// One that means nothing.
    Other,
}

/// What follows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The walk goes on.
    Draw,
    /// All is drawn anew.
    Repaint,
    /// The terminal is given back until the shell says to go on.
    Suspend,
    /// The walk is over.
    Leave,
}

/// Where there is room for one pane alone, which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    Diagram,
    Text,
}

/// Where somebody is.
pub(in crate::inspect) struct State<'s> {
    pub(super) tours: Vec<Tour<'s>>,
    /// Which of the tours.
    pub(super) tour: usize,
    /// At which place of each.
    at: Vec<usize>,
    pub(super) words: &'static WalkWords,
    pub(super) options: Options,
    /// How many lines of the text are above the screen.
    pub(super) scroll: usize,
    pub(super) front: Front,
    pub(super) help: bool,
    pub(super) area: Rect,
    /// The text of the place, for the width that there is.
    pub(super) shown: Vec<Line<'static>>,
}

impl<'s> State<'s> {
    /// At the first step of the first connection. Whether colours are used, and how much is told at first, is in
    /// `options`.
    pub(in crate::inspect) fn new(tours: Vec<Tour<'s>>, options: &Options) -> Self {
        let mut state = Self {
            tour: 0,
            at: vec![0; tours.len()],
            tours,
            words: WalkWords::of(options.language),
            options: Options {
                detail: options.detail.max(Detail::Steps),
                ..*options
            },
            scroll: 0,
            front: Front::Diagram,
            help: false,
            area: Rect::ZERO,
            shown: Vec::new(),
        };
        state.tell();
        state
    }

    /// Takes note of how large the screen is.
    pub(super) fn resize(&mut self, area: Rect) {
        if area != self.area {
            self.area = area;
            self.tell();
        }
    }

    /// At which place of its connection it is.
    pub(super) fn place(&self) -> usize {
        self.at.get(self.tour).copied().unwrap_or(0)
    }

    /// How much is told at the place.
    pub(super) fn detail(&self) -> Detail {
        let tour = self.tours.get(self.tour);
        let deepest = tour.map_or(Detail::Steps, |tour| tour.deepest(self.place()));
        self.options.detail.min(deepest)
    }

    pub(super) fn press(&mut self, key: Key) -> Next {
        match key {
            Key::Interrupt => return Next::Leave,
            Key::Suspend => return Next::Suspend,
            Key::Repaint => return Next::Repaint,
            _ if self.help => self.help = false,
            Key::Leave => return Next::Leave,
            Key::Help => self.help = true,
            Key::Up => self.go(self.place().saturating_sub(1)),
            Key::Down => self.go(self.place().saturating_add(1)),
            Key::Home => self.go(0),
            Key::End => self.go(usize::MAX),
            Key::Left => self.deepen(|detail| match detail {
                Detail::Octets => Detail::Fields,
                _ => Detail::Steps,
            }),
            Key::Right => self.deepen(|detail| match detail {
                Detail::Brief | Detail::Steps => Detail::Fields,
                _ => Detail::Octets,
            }),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(self.page()),
            Key::PageDown => self.scroll = (self.scroll + self.page()).min(self.last_scroll()),
            Key::Space => self.read_on(),
            Key::Tab => self.turn_to((self.tour + 1) % self.tours.len().max(1)),
            Key::BackTab => {
                let tours = self.tours.len().max(1);
                self.turn_to((self.tour + tours - 1) % tours);
            }
            Key::Enter => {
                self.front = match self.front {
                    Front::Diagram => Front::Text,
                    Front::Text => Front::Diagram,
                };
            }
            Key::Other => {}
        }
        Next::Draw
    }

    /// Goes to a place, or to the last where there are not so many.
    fn go(&mut self, place: usize) {
        let last = self.last_place();
        if let Some(at) = self.at.get_mut(self.tour)
            && *at != place.min(last)
        {
            *at = place.min(last);
            self.scroll = 0;
            self.tell();
        }
    }

    fn turn_to(&mut self, tour: usize) {
        if tour != self.tour {
            self.tour = tour;
            self.scroll = 0;
            self.tell();
        }
    }

    /// Tells more or less. What is told at the place counts: going back from a depth that it does not have would
    /// seem to do nothing.
    fn deepen(&mut self, next: impl Fn(Detail) -> Detail) {
        let tour = self.tours.get(self.tour);
        let deepest = tour.map_or(Detail::Steps, |tour| tour.deepest(self.place()));
        let detail = next(self.detail()).min(deepest);
        if detail != self.detail() {
            self.options.detail = detail;
            self.tell();
        }
    }

    /// A page on, and from the end of a text to the next place.
    fn read_on(&mut self) {
        if self.scroll < self.last_scroll() {
            self.press(Key::PageDown);
        } else {
            self.press(Key::Down);
        }
    }

    fn last_place(&self) -> usize {
        let tour = self.tours.get(self.tour);
        tour.map_or(0, |tour| tour.places.len().saturating_sub(1))
    }

    /// How many lines a page is: one stays for the eye to hold on to.
    fn page(&self) -> usize {
        let height = usize::from(Panes::of(self.area).text.height);
        height.saturating_sub(1).max(1)
    }

    /// How far the text can be scrolled.
    pub(super) fn last_scroll(&self) -> usize {
        let height = usize::from(Panes::of(self.area).text.height);
        self.shown.len().saturating_sub(height)
    }

    /// Writes the text of the place anew.
    fn tell(&mut self) {
        let options = Options {
            width: usize::from(Panes::of(self.area).text.width),
            detail: self.detail(),
            // Bold and faint letters are no colours: those are left out where it is drawn.
            colour: true,
            ..self.options
        };
        let tour = self.tours.get(self.tour);
        let text = tour.map(|tour| tour.text(self.place(), &options));
        let lines = tour::lines(&text.unwrap_or_default());
        // Those of the explorer are written for this width, or the least that it writes for.
        self.shown = wrap::wrapped(lines, options.width.max(text::FEWEST_COLUMNS));
        self.scroll = self.scroll.min(self.last_scroll());
    }
}
