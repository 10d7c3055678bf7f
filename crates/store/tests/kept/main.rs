//! What the seams promise, held against the embedded engines (`conformance`), against bytes that somebody spoilt
//! (`codec`), and against a process that dies in the middle (`crash`).

mod codec;
mod conformance;
mod crash;
mod measure;
mod sample;
