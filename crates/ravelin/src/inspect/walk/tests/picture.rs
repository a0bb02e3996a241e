//! The picture in the documentation, which is what the program draws. `RAVELIN_BLESS=1` writes it anew.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::{Key, OPTIONS, draw, press, state, story};

/// The size of a character, in pixels.
const COLUMN: f64 = 8.43;
const LINE: f64 = 17.0;
const MARGIN: f64 = 14.0;

#[test]
fn the_picture_in_the_documents_is_what_is_drawn() {
    let stories = [story()];
    let mut state = state(&stories, &OPTIONS);
    press(&mut state, &[Key::Down, Key::Right]);
    let drawn = svg(&draw(&mut state, 118, 30));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images/inspect-step.svg");
    if env::var_os("RAVELIN_BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == drawn, "{} shows something else", path.display());
}

/// A screen as a picture.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let width = columns * COLUMN + 2.0 * MARGIN;
    let height = rows * LINE + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for (y, row) in buffer
        .content
        .chunks(usize::from(buffer.area.width))
        .enumerate()
    {
        let mut x = 0;
        for run in row.chunk_by(|one, other| style(one) == style(other)) {
            write_run(&mut svg, run, x, y);
            x += run.len();
        }
    }
    svg + "</svg>\n"
}

fn style(cell: &Cell) -> (Color, Modifier) {
    (cell.fg, cell.modifier)
}

/// Cells of one style, with their characters where the terminal has them, whatever the font says.
fn write_run(svg: &mut String, run: &[Cell], x: usize, y: usize) {
    let text: String = run.iter().map(Cell::symbol).collect();
    let marked = run[0].modifier.contains(Modifier::REVERSED);
    let (left, top) = (MARGIN + times(x, COLUMN), MARGIN + times(y, LINE));
    if marked {
        let width = times(run.len(), COLUMN);
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{LINE}\" fill=\"#d7dae0\"/>"
        );
    }
    let before = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let colour = match (marked, run[0].fg) {
        (true, _) => "#16181d",
        (false, Color::Red) => "#f2777a",
        (false, Color::Green) => "#8fd18f",
        (false, Color::Yellow) => "#f0c674",
        (false, Color::Magenta) => "#d3a0e0",
        (false, Color::Cyan) => "#7fc9d6",
        (false, _) => "#d7dae0",
    };
    let weight = if run[0].modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let faint = if run[0].modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    let left = left + times(before, COLUMN);
    let base = top + LINE * 0.76;
    let width = times(text.width(), COLUMN);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{width:.1}\" fill=\"{colour}\"{weight}{faint} \
         xml:space=\"preserve\">{text}</text>"
    );
}

fn times(number: usize, pixels: f64) -> f64 {
    f64::from(u16::try_from(number).unwrap()) * pixels
}
