//! What is this pin: image and text become embedding, palette, thumbnail.
