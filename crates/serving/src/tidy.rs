//! Packing what has grown, beside the readers.

use crate::views::{Views, lock, read, write};
use graph::Graph;
use index::VectorIndex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

/// Seed of the lists that are learned.
pub(crate) const SEED: u64 = 1;

/// The graph is packed when it has grown by this many edges and by an eighth.
const LOOSE_EDGES: u64 = 16_384;
const LOOSE_SHARE: u64 = 8;

impl Views {
    /// Packs what has grown, and now and then measures how good searches are, on a thread of its own. Readers and the
    /// writer wait for the swap only.
    pub(crate) fn tidy(self: &Arc<Views>) {
        if (self.is_tidy() && !self.watched.is_due()) || self.tidying.swap(true, Ordering::AcqRel) {
            return;
        }
        let views = self.clone();
        std::thread::spawn(move || {
            views.tidy_now();
            views.watched.measure(&views);
            views.tidying.store(false, Ordering::Release);
        });
    }

    /// Packs what has grown: graph, content vectors, vectors of the installed model.
    pub fn tidy_now(&self) {
        let _one_at_a_time = lock(&self.packing);
        tidy_graph(&self.graph);
        tidy_vectors(&self.content);
        if let Some(installed) = self.installed() {
            tidy_vectors(&installed.vectors);
        }
    }

    fn is_tidy(&self) -> bool {
        let wants = |index: &RwLock<VectorIndex>| read(index).wants_compaction();
        let vectors = self.installed().is_some_and(|installed| wants(&installed.vectors));
        !(has_grown(&read(&self.graph)) || wants(&self.content) || vectors)
    }
}

fn has_grown(graph: &Graph) -> bool {
    graph.edges_since() > LOOSE_EDGES.max(graph.edges() / LOOSE_SHARE)
}

fn tidy_graph(graph: &RwLock<Graph>) {
    let merge = {
        let graph = read(graph);
        has_grown(&graph).then(|| graph.merge())
    };
    let Some(Ok(merged)) = merge.map(|merge| catch_unwind(AssertUnwindSafe(|| merge.run()))) else { return };
    let replaced = write(graph).publish(merged);
    // Freed when nobody waits for the lock any more.
    drop(replaced);
}

fn tidy_vectors(index: &RwLock<VectorIndex>) {
    if !read(index).wants_compaction() {
        return;
    }
    let Some(compaction) = write(index).begin_compaction(SEED) else { return };
    match catch_unwind(AssertUnwindSafe(|| compaction.run())) {
        Ok(compacted) => {
            let replaced = write(index).publish(compacted);
            // Freed when nobody waits for the lock any more.
            drop(replaced);
        }
        Err(_) => write(index).abandon_compaction(),
    }
}
