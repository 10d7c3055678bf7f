//! What a picture looks like: colours and edges, by place.
