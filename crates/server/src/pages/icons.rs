//! Drawings of a few strokes. They take the colour of the text around them.

use maud::{Markup, PreEscaped, html};

/// The mark: a bower of sticks around a blue treasure.
pub(crate) fn mark(class: &str) -> Markup {
    html! {
        svg class=(class) viewBox="0 0 32 32" fill="none" aria-hidden="true" {
            path d="M5 27c1.6-9 4.8-15.5 9.6-19.5M27 27c-1.6-9-4.8-15.5-9.6-19.5" stroke="currentColor"
                stroke-width="2.6" stroke-linecap="round" {}
            path d="M9.5 27c.6-6.8 2.3-12.3 5.2-16.5M22.5 27c-.6-6.8-2.3-12.3-5.2-16.5" stroke="currentColor"
                stroke-width="2.6" stroke-linecap="round" {}
            circle cx="16" cy="22.5" r="4.2" fill="currentColor" {}
        }
    }
}

fn stroke(path: &'static str) -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"
            stroke-linejoin="round" aria-hidden="true" { (PreEscaped(path)) }
    }
}

pub(crate) fn search() -> Markup {
    stroke("<circle cx='11' cy='11' r='6.5'/><path d='m16 16 4.5 4.5'/>")
}

pub(crate) fn camera() -> Markup {
    stroke("<path d='M4 8h3.5L9 5.5h6L16.5 8H20v11H4z'/><circle cx='12' cy='13' r='3.4'/>")
}

pub(crate) fn cross() -> Markup {
    stroke("<path d='M6 6l12 12M18 6 6 18'/>")
}

pub(crate) fn eye_off() -> Markup {
    stroke(
        "<path d='M4 4l16 16M9.9 5.6A9.6 9.6 0 0 1 12 5.4c4.5 0 7.8 3 9.3 6.6a11.5 11.5 0 0 1-2.4 3.6\
         M6.3 7.7A11.8 11.8 0 0 0 2.7 12c1.5 3.6 4.8 6.6 9.3 6.6a9.5 9.5 0 0 0 4-.9'/>\
         <path d='M9.9 9.9a3 3 0 0 0 4.2 4.2'/>",
    )
}

pub(crate) fn bookmark() -> Markup {
    stroke("<path d='M6.5 4h11v16L12 15.8 6.5 20z'/>")
}

pub(crate) fn back() -> Markup {
    stroke("<path d='M19 12H5M11 6l-6 6 6 6'/>")
}

pub(crate) fn out() -> Markup {
    stroke("<path d='M8 16 18 6M9.5 6H18v8.5'/>")
}

pub(crate) fn spark() -> Markup {
    stroke("<path d='M12 3.5l1.9 5.1 5.1 1.9-5.1 1.9L12 17.5l-1.9-5.1L5 10.5l5.1-1.9zM18.5 16.5v4M16.5 18.5h4'/>")
}

pub(crate) fn chevron() -> Markup {
    html! {
        svg.turn viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"
            stroke-linejoin="round" aria-hidden="true" { path d="m6 9 6 6 6-6" {} }
    }
}
