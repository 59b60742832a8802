//! The spanning tree of a basis: its parents, depths and flows, hung over in place.

/// No node.
const NONE: usize = usize::MAX;

/// A spanning tree of the regions of both sides: rows are nodes `0..m`, columns `m..m + n`.
///
/// It is strongly feasible: a link without flow leads from a row up to a column, so that every node can send some mass
/// to the root. Such trees never come back, and a programme with ties ends (Cunningham 1976).
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub m: usize,
    parent: Vec<usize>,
    /// Along the link to the parent.
    flow: Vec<f64>,
    /// `u_i + v_j = c_ij` along every link of the tree.
    pub potential: Vec<f64>,
    depth: Vec<usize>,
    child: Vec<usize>,
    next: Vec<usize>,
    previous: Vec<usize>,
}

/// Where a pivot cuts the tree.
struct Cut {
    /// The node whose link to its parent leaves.
    node: usize,
    flow: f64,
    is_above_row: bool,
    /// The lowest node that lies above both ends of the entering link.
    join: usize,
}

impl Tree {
    /// `m` rows and `n` columns, without links.
    pub fn new(m: usize, n: usize) -> Self {
        let (none, zeros) = (vec![NONE; m + n], vec![0.0; m + n]);
        let [parent, child, next, previous] = std::array::from_fn(|_| none.clone());
        Self { m, parent, flow: zeros.clone(), potential: zeros, depth: vec![0; m + n], child, next, previous }
    }

    /// Row, column and flow of every link.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let nodes = self.parent.iter().enumerate().filter(|(_, parent)| **parent != NONE);
        nodes.map(|(node, parent)| (node.min(*parent), node.max(*parent) - self.m, self.flow[node]))
    }

    /// Hangs a node under another.
    pub fn attach(&mut self, node: usize, parent: usize, flow: f64) {
        let next = self.child[parent];
        (self.parent[node], self.flow[node], self.next[node], self.previous[node]) = (parent, flow, next, NONE);
        if next != NONE {
            self.previous[next] = node;
        }
        self.child[parent] = node;
    }

    fn detach(&mut self, node: usize) {
        let (previous, next) = (self.previous[node], self.next[node]);
        if previous == NONE {
            self.child[self.parent[node]] = next;
        } else {
            self.next[previous] = next;
        }
        if next != NONE {
            self.previous[next] = previous;
        }
    }

    /// Makes the link from a row to a column part of the tree, and takes out the one that its flow empties.
    pub fn pivot(&mut self, row: usize, column: usize, costs: &[f64]) {
        let cut = self.cut(row, column);
        self.push(row, cut.join, cut.flow, true);
        self.push(column, cut.join, cut.flow, false);
        let (node, parent) = if cut.is_above_row { (row, column) } else { (column, row) };
        self.turn(node, cut.node);
        self.attach(node, parent, cut.flow);
        self.settle(node, costs);
    }

    /// The link that a flow along the entering one empties first: of ties the last on the way round the cycle, from the
    /// join down to the row, over to the column and up again, which keeps the tree strongly feasible.
    fn cut(&self, row: usize, column: usize) -> Cut {
        let (mut a, mut b) = (row, column);
        let [mut above_row, mut above_column] = [(f64::INFINITY, NONE); 2];
        while a != b {
            if self.depth[a] >= self.depth[b] {
                if a < self.m && self.flow[a] < above_row.0 {
                    above_row = (self.flow[a], a);
                }
                a = self.parent[a];
            } else {
                if b >= self.m && self.flow[b] <= above_column.0 {
                    above_column = (self.flow[b], b);
                }
                b = self.parent[b];
            }
        }
        let is_above_row = above_row.0 < above_column.0;
        let (flow, node) = if is_above_row { above_row } else { above_column };
        Cut { node, flow, is_above_row, join: a }
    }

    /// Moves mass round the cycle: on the way up to the join, links of nodes of the kind begun with lose it, others
    /// gain.
    fn push(&mut self, from: usize, join: usize, flow: f64, is_row: bool) {
        let mut node = from;
        while node != join {
            self.flow[node] += if (node < self.m) == is_row { -flow } else { flow };
            node = self.parent[node];
        }
    }

    /// Cuts the link above `top`, and makes `node` the top of what hung there.
    fn turn(&mut self, node: usize, top: usize) {
        let (mut node, mut parent, mut flow) = (node, self.parent[node], self.flow[node]);
        self.detach(node);
        while node != top {
            let (above, link) = (self.parent[parent], self.flow[parent]);
            self.detach(parent);
            self.attach(parent, node, flow);
            (node, parent, flow) = (parent, above, link);
        }
    }

    /// Depths and potentials of a node and of all below it, from its parent's.
    pub fn settle(&mut self, top: usize, costs: &[f64]) {
        let n = self.parent.len() - self.m;
        let mut node = top;
        loop {
            let parent = self.parent[node];
            if parent != NONE {
                let [row, column] = [node.min(parent), node.max(parent) - self.m];
                self.depth[node] = self.depth[parent] + 1;
                self.potential[node] = costs[row * n + column] - self.potential[parent];
            }
            if self.child[node] != NONE {
                node = self.child[node];
                continue;
            }
            while node != top && self.next[node] == NONE {
                node = self.parent[node];
            }
            if node == top {
                return;
            }
            node = self.next[node];
        }
    }
}
