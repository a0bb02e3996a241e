"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.add("js");

  // One of many can be reached with Tab; the arrow keys lead to the others.
  const rove = (items, now) => {
    for (const item of items) item.setAttribute("tabindex", item === now ? "0" : "-1");
  };

  // Scrolls what scrolls within the page, and never the page itself.
  const showIn = (box, item) => {
    const [outer, inner] = [box.getBoundingClientRect(), item.getBoundingClientRect()];
    if (inner.top < outer.top + 8) box.scrollTop += inner.top - outer.top - 8;
    else if (inner.bottom > outer.bottom - 8) box.scrollTop += Math.min(inner.bottom - outer.bottom + 8, inner.top - outer.top - 8);
  };

  // What a quantity is used for is what is computed of it: the page says that once.
  const used = (quantity, by) => {
    if (!quantity) return;
    let uses = quantity.querySelector(".uses");
    if (!uses) {
      uses = quantity.appendChild(document.createElement("p"));
      uses.className = "uses";
      uses.appendChild(document.createElement("span")).textContent = quantity.parentNode.dataset.uses;
    }
    const link = document.createElement("a");
    link.href = "#" + by.id;
    link.textContent = by.querySelector("h3").textContent;
    uses.append(" ", link);
  };

  let last = null;
  const stories = all(".story").map(story => {
    const steps = all("details.step", story);
    const arrows = all(".arrow", story);
    const map = story.querySelector(".map");
    const nodes = all(".node", story);
    const quantities = all(".quantity", story);
    const self = { story, steps, arrows, at: -1 };

    self.mark = at => {
      self.at = at;
      last = self;
      arrows.forEach((arrow, number) => {
        if (number === at) arrow.setAttribute("aria-current", "step");
        else arrow.removeAttribute("aria-current");
      });
      rove(arrows, arrows[at] || arrows[0]);
      if (map && arrows[at]) showIn(map, arrows[at]);
    };

    // Goes to a step: the one that was open closes, as a book has one page in front.
    self.go = (at, focus) => {
      const step = steps[at];
      if (!step) return;
      for (const other of steps) if (other !== step && other.dataset.walked) {
        other.open = false;
        delete other.dataset.walked;
      }
      if (!step.open) step.dataset.walked = "1";
      step.open = true;
      self.mark(at);
      if (focus) step.querySelector("summary").focus({ preventScroll: true });
      step.scrollIntoView({ block: step.offsetHeight < innerHeight ? "nearest" : "start" });
    };

    steps.forEach((step, at) => {
      // Only what a person opened counts as being there.
      step.addEventListener("toggle", () => { if (step.open) furnish(step); });
      step.querySelector("summary").addEventListener("click", () => self.mark(at));
      step.querySelector("summary").addEventListener("focus", () => { last = self; });
    });
    arrows.forEach((arrow, at) => arrow.addEventListener("click", event => {
      event.preventDefault();
      self.go(at, true);
    }));
    rove(arrows, arrows[0]);

    // The key schedule. The values of inputs are in the page once: where they result.
    const named = target => target.slice(target.lastIndexOf("q") + 1);
    for (const node of nodes) node.dataset.q = named(node.getAttribute("href"));
    for (const quantity of quantities) {
      quantity.dataset.q = named(quantity.id);
      quantity.tabIndex = -1;
    }
    const results = new Map(quantities.map(quantity => [quantity.dataset.q, quantity.querySelector(".result code").textContent]));
    for (const input of all(".inputs a", story)) {
      const value = document.createElement("code");
      value.textContent = results.get(named(input.hash)) || "";
      input.after(value);
      used(quantities.find(quantity => quantity.dataset.q === named(input.hash)), input.closest(".quantity"));
    }
    // So is what several quantities are: where the first of them is told of.
    for (const link of all(".what a", story)) {
      const first = quantities.find(quantity => quantity.dataset.q === named(link.hash));
      if (first) link.replaceWith(first.querySelector(".what").textContent);
    }
    self.show = (number, focus) => {
      const chosen = quantities.find(quantity => quantity.dataset.q === number);
      if (!chosen) return;
      for (const quantity of quantities) quantity.classList.toggle("on", quantity === chosen);
      const near = new Set();
      for (const edge of all(".graph g path", story)) {
        const ends = edge.dataset.e.split("-");
        const lit = ends.includes(number);
        edge.classList.toggle("lit", lit);
        if (lit) for (const end of ends) near.add(end);
      }
      for (const node of nodes) {
        const here = node.dataset.q === number;
        if (here) node.setAttribute("aria-current", "true");
        else node.removeAttribute("aria-current");
        node.classList.toggle("near", !here && near.has(node.dataset.q));
        if (here) rove(nodes, node);
      }
      if (focus) {
        chosen.focus({ preventScroll: true });
        chosen.scrollIntoView({ block: "nearest" });
      }
    };
    for (const node of nodes) node.addEventListener("click", event => {
      event.preventDefault();
      self.show(node.dataset.q, false);
      node.focus({ preventScroll: true });
    });
    const first = nodes.find(node => !node.classList.contains("outside")) || nodes[0];
    if (first) self.show(first.dataset.q, false);
    else if (quantities[0]) quantities[0].classList.add("on");
    self.nodes = nodes;
    return self;
  });
  last = stories[0] || null;

  // The fields of a step and its octets: made ready when the step is first opened.
  const furnish = step => {
    const tree = step.querySelector(".tree");
    if (!tree || tree.dataset.ready) return;
    tree.dataset.ready = "1";
    const hex = step.querySelector(".hex");
    const items = all("li", tree);
    const pieces = all("b", hex);
    let held = null;
    for (const [box, role] of [[tree, "tree"], [hex, "region"]]) {
      box.setAttribute("role", role);
      box.setAttribute("aria-label", box.previousElementSibling.textContent);
    }
    for (const item of items) {
      item.setAttribute("role", "treeitem");
      const inner = item.querySelector(":scope > ul");
      if (inner) {
        inner.setAttribute("role", "group");
        item.setAttribute("aria-expanded", String(!item.classList.contains("fold")));
      }
      let level = 1;
      for (let up = item.parentElement; up !== tree; up = up.parentElement) level += up.tagName === "LI";
      item.setAttribute("aria-level", level);
    }
    rove(items, items[0]);

    // Leaves are in the same order here and there. A group goes up to the next leaf behind it.
    const leaves = new Map();
    let count = 0;
    const number = item => {
      const from = count;
      if (!item.classList.contains("g")) count += 1;
      for (const inner of all(":scope > ul > li", item)) number(inner);
      if (item.dataset.z) count = Number(item.dataset.z);
      leaves.set(item, [from, count - 1]);
    };
    for (const item of all(":scope > li", tree)) number(item);
    pieces.forEach((piece, at) => { piece.dataset.f = at; });

    const light = (from, to) => {
      pieces.forEach((piece, at) => piece.classList.toggle("lit", at >= from && at <= to));
    };
    const point = (item, scroll) => {
      for (const other of items) other.classList.remove("lit", "near");
      if (!item) {
        light(0, -1);
        return;
      }
      item.classList.add("lit");
      light(...leaves.get(item));
      if (scroll) {
        const piece = pieces.find(piece => piece.classList.contains("lit"));
        if (piece) showIn(hex, piece);
      }
    };
    const leaf = number => {
      let found = null;
      for (const item of items) {
        const [from, to] = leaves.get(item);
        if (from <= number && number <= to) found = item;
      }
      return found;
    };
    const open = (item, yes) => {
      if (item.hasAttribute("aria-expanded")) item.setAttribute("aria-expanded", String(yes));
    };
    const reveal = item => {
      for (let up = item.parentElement; up !== tree; up = up.parentElement) if (up.tagName === "LI") open(up, true);
    };
    const hold = (item, focus) => {
      held = item;
      for (const other of items) other.setAttribute("aria-selected", String(other === item));
      if (item) {
        rove(items, item);
        if (focus) item.focus({ preventScroll: true });
        showIn(tree, item.querySelector("p"));
      }
      point(item, true);
    };
    tree.addEventListener("pointerover", event => {
      const item = event.target.closest("li");
      if (item) point(item, true);
    });
    tree.addEventListener("pointerleave", () => point(held, false));
    tree.addEventListener("focusin", event => {
      const item = event.target.closest("li");
      if (item && item !== held) hold(item, false);
    });
    tree.addEventListener("click", event => {
      const item = event.target.closest("li");
      if (!item) return;
      open(item, item.getAttribute("aria-expanded") === "false");
      hold(item, true);
    });
    hex.addEventListener("pointerover", event => {
      const piece = event.target.closest("b");
      const item = piece && leaf(Number(piece.dataset.f));
      if (!item) return;
      // What is folded away is told of by what it is in.
      let shown = item;
      for (let up = item; up !== tree; up = up.parentElement) if (up.getAttribute("aria-expanded") === "false") shown = up;
      point(item, false);
      if (shown !== item) shown.classList.add("near");
      showIn(tree, shown.querySelector("p"));
    });
    hex.addEventListener("pointerleave", () => point(held, false));
    hex.addEventListener("click", event => {
      const piece = event.target.closest("b");
      const item = piece && leaf(Number(piece.dataset.f));
      if (!item) return;
      reveal(item);
      hold(item, true);
    });
    tree.addEventListener("keydown", event => {
      const item = event.target.closest("li");
      if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
      const seen = items.filter(other => other.offsetParent !== null);
      const at = seen.indexOf(item);
      const expanded = item.getAttribute("aria-expanded");
      let next = null;
      switch (event.key) {
        case "ArrowDown": next = seen[at + 1]; break;
        case "ArrowUp": next = seen[at - 1]; break;
        case "Home": next = seen[0]; break;
        case "End": next = seen[seen.length - 1]; break;
        case "ArrowRight":
          if (expanded === "false") open(item, true);
          else if (expanded) next = item.querySelector("li");
          break;
        case "ArrowLeft":
          if (expanded === "true") open(item, false);
          else next = item.parentElement.closest("li");
          break;
        case "Enter": case " ": open(item, expanded === "false"); break;
        default: return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (next) hold(next, true);
    });
  };

  // In the picture, an arrow key leads to what is nearest in its direction.
  const neighbour = (nodes, from, key) => {
    const middle = node => {
      const box = node.querySelector("rect").getBoundingClientRect();
      return [box.left, box.top + box.height / 2];
    };
    const [x, y] = middle(from);
    let best = null, least = Infinity;
    for (const node of nodes) {
      if (node === from) continue;
      const [dx, dy] = middle(node).map((value, axis) => value - [x, y][axis]);
      const [along, across] = { ArrowRight: [dx, dy], ArrowLeft: [-dx, dy], ArrowDown: [dy, dx], ArrowUp: [-dy, dx] }[key];
      const far = along + 3 * Math.abs(across);
      if (along > 4 && far < least) [best, least] = [node, far];
    }
    return best;
  };

  // What a link within the page leads to is opened first.
  const reveal = (hash, focus) => {
    const target = hash.length > 1 && document.getElementById(hash.slice(1));
    if (!target) return false;
    const own = stories.find(story => story.story.contains(target));
    if (own && target.classList.contains("quantity")) own.show(target.dataset.q, focus);
    else if (own && target.classList.contains("body")) own.go(own.steps.indexOf(target.closest("details")), focus);
    else return false;
    return true;
  };
  document.addEventListener("click", event => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.defaultPrevented) return;
    if (reveal(link.getAttribute("href"), true)) {
      event.preventDefault();
      history.replaceState(null, "", link.getAttribute("href"));
    }
  });
  addEventListener("hashchange", () => reveal(location.hash, true));
  reveal(location.hash, false);

  document.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const here = document.activeElement;
    const node = here.closest(".node");
    if (node && event.key.startsWith("Arrow")) {
      const { nodes } = stories.find(story => story.nodes.includes(node));
      const next = neighbour(nodes, node, event.key);
      if (next) {
        rove(nodes, next);
        next.focus();
      }
      event.preventDefault();
      return;
    }
    const story = stories.find(story => story.story.contains(here)) || last;
    if (!story) return;
    const onStep = here.closest(".arrow, .step > summary");
    const inside = here.closest(".step");
    const walk = by => {
      const at = Math.max(0, Math.min(story.steps.length - 1, story.at + by));
      story.go(at, true);
      event.preventDefault();
    };
    switch (event.key) {
      case "j": walk(1); break;
      case "k": walk(-1); break;
      case "ArrowDown": if (onStep) walk(1); break;
      case "ArrowUp": if (onStep) walk(-1); break;
      case "Home": if (onStep) walk(-story.steps.length); break;
      case "End": if (onStep) walk(story.steps.length); break;
      case "Escape":
        if (inside) {
          inside.querySelector("summary").focus();
          inside.open = false;
        } else if (here.closest(".quantity")) {
          const number = here.closest(".quantity").dataset.q;
          const back = story.nodes.find(node => node.dataset.q === number);
          if (back) back.focus();
        }
        break;
      default:
    }
  });

  // On paper everything is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const step of closed) step.open = true;
  });
  addEventListener("afterprint", () => {
    for (const step of closed) step.open = false;
    closed = [];
  });
})();
