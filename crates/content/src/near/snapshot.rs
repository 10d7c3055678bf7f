//! The index outside of memory: ids, signatures, keys of embeddings and clusters. Window keys are computed again.

use bytes::Bytes;
use domain::Snapshot;

use super::index::{NearDuplicates, Slot};
use super::keys::{EMBEDDING_TABLES, embedding_key, window_keys};
use super::signature::{SIGNATURE_BYTES, Signature};
use crate::ContentError;

const KIND: &str = "near duplicates";
const VERSION: u32 = 1;

impl NearDuplicates {
    /// The index as a snapshot ([`Snapshot`]).
    pub fn to_bytes(&self) -> Vec<u8> {
        let slots = self.live();
        let mut places = vec![0u32; self.slots.len()];
        (0u32..).zip(&slots).for_each(|(place, &slot)| places[slot as usize] = place);
        let (mut ids, mut leads, mut posted) = (Vec::new(), Vec::new(), Vec::new());
        let (mut signatures, mut embeddings) = (Vec::new(), Vec::new());
        for &number in &slots {
            let slot = &self.slots[number as usize];
            ids.extend(slot.id.to_le_bytes());
            leads.extend(places[self.clusters.find(number) as usize].to_le_bytes());
            posted.push(u8::from(slot.is_posted));
            signatures.extend(slot.signature.to_bytes());
            let hashes = (0..EMBEDDING_TABLES).map(|i| slot.embedding_keys.get(i).map_or(0, |key| key.hash));
            embeddings.extend(hashes.flat_map(u32::to_le_bytes));
            posted.push(u8::from(!slot.embedding_keys.is_empty()));
        }
        let sections: [(&str, &[u8]); 5] = [
            ("ids", &ids),
            ("leads", &leads),
            ("flags", &posted),
            ("signatures", &signatures),
            ("embeddings", &embeddings),
        ];
        let mut out = Vec::new();
        Snapshot::write(&mut out, KIND, VERSION, &sections).expect("invariant: memory takes bytes");
        out
    }

    /// The index of a snapshot; an error says what is odd about other bytes.
    pub fn from_bytes(bytes: &Bytes) -> Result<NearDuplicates, ContentError> {
        let snapshot = Snapshot::open(KIND, VERSION, bytes).map_err(damaged)?;
        let [ids, leads] = [snapshot.column::<u32>("ids"), snapshot.column::<u32>("leads")];
        let (ids, leads) = (ids.map_err(damaged)?, leads.map_err(damaged)?);
        let [flags, signatures] = [snapshot.column::<u8>("flags"), snapshot.column::<u8>("signatures")];
        let (flags, signatures) = (flags.map_err(damaged)?, signatures.map_err(damaged)?);
        let embeddings = snapshot.column::<u32>("embeddings").map_err(damaged)?;
        let count = ids.len();
        let lengths =
            [leads.len(), flags.len() / 2, signatures.len() / SIGNATURE_BYTES, embeddings.len() / EMBEDDING_TABLES];
        if lengths != [count; 4] {
            return Err(damaged(format!("columns of {count} and {lengths:?} pictures")));
        }
        let mut index = NearDuplicates::default();
        let rows = flags.chunks_exact(2).zip(signatures.chunks_exact(SIGNATURE_BYTES));
        for (place, (flags, signature)) in rows.enumerate() {
            let (id, lead) = (ids[place], leads[place] as usize);
            if lead > place || leads[lead] as usize != lead || index.cluster_of(id).is_some() {
                return Err(damaged(format!("picture {id} is there twice or in no cluster")));
            }
            let hashes = &embeddings[place * EMBEDDING_TABLES..(place + 1) * EMBEDDING_TABLES];
            let hashes = hashes.iter().filter(|_| flags[1] > 0);
            let embedding_keys = hashes.map(|&hash| embedding_key(hash)).collect();
            let signature = Signature::from_bytes(signature)?;
            let keys = if flags[0] > 0 { window_keys(&signature.grids()) } else { Vec::new() };
            let slot = index.add(Slot { id, signature, embedding_keys, is_posted: false, is_live: true });
            index.clusters.join(slot, lead as u32);
            if flags[0] > 0 {
                index.post(slot, keys);
            }
        }
        Ok(index)
    }
}

fn damaged(reason: impl ToString) -> ContentError {
    ContentError::Damaged { what: "index of near-duplicates", reason: reason.to_string() }
}
