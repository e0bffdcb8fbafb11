/* The demonstration's chat page: every step goes through the JSON API under /api/webchat. */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const say = data.texts;
  const api = "/api/webchat";
  const most = 4;
  const order = ["desk", "supervisor", "handler", "unit_head", "reviewer_1", "reviewer_2",
    "reviewer_3", "publisher", "operator", "coordinator", "leader", "admin", "public"];
  const people = new Map();
  const chats = new Map();
  let front = "";

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const post = async (path, body) => {
    const answer = await fetch(api + path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(answer.status === 404 ? say.nobody : say.failed);
    return answer.json();
  };
  const clock = (at) => new Date(at).toLocaleTimeString("zh-CN",
    { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Shanghai" });

  const root = document.getElementById("chat-root");
  const offline = make("span", { class: "offline", role: "status" });
  const nav = make("nav", { "aria-label": say.people });
  const find = make("input", { type: "search", placeholder: say.find, "aria-label": say.find,
    oninput: () => drawPeople() });
  const columns = make("section", { class: "chats" });
  const main = make("div", { class: "main" }, make("aside", { class: "people" }, find, nav), columns);
  root.append(make("div", { class: "top" }, make("h1", {}, say.brand),
    make("span", { class: "banner" }, say.banner), offline), main);

  const roleName = (role) => data.roles[role] || role;
  const groups = () => {
    const found = new Map(order.map((role) => [role, []]));
    const words = find.value.trim();
    for (const person of people.values()) {
      for (const role of new Set(person.posts.map((post) => post.role))) {
        const unit = person.posts.find((post) => post.role === role).unit;
        const hay = person.name + unit + roleName(role);
        if (!words || hay.includes(words)) (found.get(role) || []).push([person, unit]);
      }
    }
    return found;
  };
  function drawPeople() {
    const parts = [];
    for (const [role, members] of groups()) {
      if (!members.length) continue;
      parts.push(make("h2", {}, `${roleName(role)}（${members.length}）`));
      for (const [person, unit] of members) {
        const chat = chats.get(person.id);
        const unread = chat ? chat.unread : 0;
        parts.push(make("button", { class: "person", "aria-pressed": String(Boolean(chat)),
          onclick: () => open(person.id) }, make("span", {}, person.name),
        unread ? make("span", { class: "count" }, String(unread)) : null,
        make("span", { class: "unit", title: unit }, unit)));
      }
    }
    nav.replaceChildren(...parts);
  }

  function remember() {
    const url = new URL(location.href);
    url.searchParams.set("open", [...chats.keys()].join(","));
    history.replaceState(null, "", url);
  }
  function bringToFront(id) {
    front = id;
    for (const [key, chat] of chats) chat.node.classList.toggle("front", key === id);
    main.classList.toggle("reading", Boolean(id));
    const chat = chats.get(id);
    if (chat) { chat.unread = 0; chat.box.focus({ preventScroll: true }); }
    drawPeople();
  }
  function shut(id) {
    const chat = chats.get(id);
    chat.over = true;
    chat.node.remove();
    chats.delete(id);
    remember();
    bringToFront("");
  }
  function open(id, focus = true) {
    if (!people.has(id)) return;
    if (!chats.has(id)) {
      if (chats.size >= most) shut(chats.keys().next().value);
      chats.set(id, newChat(people.get(id)));
      columns.append(chats.get(id).node);
      follow(chats.get(id));
      remember();
      for (const chat of chats.values()) chat.stream.scrollTop = chat.stream.scrollHeight;
    }
    if (focus) bringToFront(id);
  }

  function newChat(person) {
    const chat = { person, seen: "", over: false, unread: 0, files: [], drawn: new Map() };
    const posts = [...new Set(person.posts.map((post) => (roleName(post.role) === post.unit
      ? post.unit : `${roleName(post.role)} ${post.unit}`.trim())))];
    chat.stream = make("div", { class: "stream", role: "log", "aria-live": "polite" },
      make("p", { class: "hint" }, say.empty));
    chat.box = make("textarea", { placeholder: say.placeholder, "aria-label": say.placeholder,
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          send(chat);
        }
      } });
    chat.forwarded = make("input", { type: "checkbox" });
    chat.problem = make("span", { class: "problem", role: "alert" });
    const picture = make("input", { type: "file", accept: "image/*", class: "hidden",
      onchange: () => upload(chat, picture) });
    const samples = make("select", { "aria-label": say.samples, onchange: () => {
      const sample = data.samples[samples.selectedIndex - 1];
      if (sample) { chat.box.value = sample.text; chat.forwarded.checked = true; chat.box.focus(); }
      samples.selectedIndex = 0;
    } }, make("option", {}, say.samples), ...data.samples.map((one) => make("option", {}, one.title)));
    chat.node = make("article", { class: "chat", "aria-label": person.name },
      make("header", {}, make("strong", {}, person.name),
        make("span", {}, posts.slice(0, 2).join("、")),
        make("button", { class: "plain", "aria-label": `${say.close} ${person.name}`,
          onclick: () => shut(person.id) }, say.close)),
      chat.stream,
      make("div", { class: "composer" }, chat.box, make("div", { class: "row" },
        make("label", { title: say.forwarded_hint }, chat.forwarded, say.forwarded),
        make("label", {}, say.picture, picture), samples, chat.problem,
        make("button", { class: "send", onclick: () => send(chat) }, say.send))));
    return chat;
  }

  async function send(chat) {
    const text = chat.box.value;
    if (!text.trim() && !chat.files.length) return;
    chat.problem.textContent = "";
    try {
      await post(`/chats/${chat.person.id}/messages`,
        { text, forwarded: chat.forwarded.checked, files: chat.files });
      chat.box.value = "";
      chat.files = [];
      chat.forwarded.checked = false;
      await refresh(chat);
    } catch (problem) {
      chat.problem.textContent = problem.message || say.failed;
    }
  }
  async function upload(chat, input) {
    const form = new FormData();
    form.append("file", input.files[0]);
    input.value = "";
    const answer = await fetch(`${api}/files`, { method: "POST", body: form });
    const body = await answer.json();
    if (!answer.ok) { chat.problem.textContent = body.detail || say.failed; return; }
    chat.files.push(body.id);
    await send(chat);
  }
  async function press(chat, button, node) {
    node.disabled = true;
    try {
      await post(`/chats/${chat.person.id}/presses`, { token: button.token });
    } catch (problem) {
      chat.problem.textContent = problem.message || say.failed;
      node.disabled = false;
    }
  }

  function bubble(chat, message) {
    const node = make("div", { class: message.mine ? "bubble mine" : "bubble" });
    for (const file of message.files) {
      node.append(make("img", { src: `${api}/files/${file}`, alt: say.picture }));
    }
    const text = make("div", { class: "text" });
    // The API's html carries no markup but bold; everything else in it is escaped.
    if (message.mine) text.textContent = message.text;
    else text.innerHTML = message.html;
    node.append(text);
    const buttons = message.buttons.map((button) => {
      const one = make("button", { disabled: button.open ? false : "", title: button.open ? "" : say.used },
        button.label);
      one.addEventListener("click", () => press(chat, button, one));
      return one;
    });
    if (["copy_text", "for_friends"].includes(message.reply)) {
      const copy = make("button", {}, say.copy);
      copy.addEventListener("click", async () => {
        await navigator.clipboard.writeText(message.text);
        copy.textContent = say.copied;
      });
      buttons.push(copy);
    }
    if (buttons.length) node.append(make("div", { class: "buttons" }, ...buttons));
    node.append(make("time", { datetime: message.at }, clock(message.at)));
    return node;
  }
  const isVisible = (chat) => chat.node.offsetParent !== null;
  function draw(chat, messages) {
    const stream = chat.stream;
    const atEnd = stream.scrollHeight - stream.scrollTop - stream.clientHeight < 80;
    if (messages.length) stream.querySelector(".hint")?.remove();
    let fresh = 0;
    for (const message of messages) {
      const shape = JSON.stringify(message);
      const known = chat.drawn.get(message.id);
      if (known && known.shape === shape) continue;
      const node = bubble(chat, message);
      if (known) known.node.replaceWith(node);
      else { stream.append(node); fresh += message.mine ? 0 : 1; }
      chat.drawn.set(message.id, { shape, node });
    }
    if (atEnd || !chat.seen) stream.scrollTop = stream.scrollHeight;
    if (fresh && chat.seen && !isVisible(chat)) { chat.unread += fresh; drawPeople(); }
  }
  async function refresh(chat, wait = 0) {
    const query = new URLSearchParams({ limit: "80", wait: String(wait), seen: chat.seen });
    const answer = await fetch(`${api}/chats/${chat.person.id}/messages?${query}`);
    if (!answer.ok) throw new Error(String(answer.status));
    draw(chat, await answer.json());
    if (wait || !chat.seen) chat.seen = answer.headers.get("X-Seen") || " ";
  }
  async function follow(chat) {
    while (!chat.over) {
      try {
        await refresh(chat, chat.seen ? 20 : 0);
        offline.textContent = "";
      } catch {
        offline.textContent = say.offline;
        await new Promise((done) => { setTimeout(done, 1500); });
      }
    }
  }

  async function begin() {
    for (const person of await (await fetch(`${api}/people`)).json()) people.set(person.id, person);
    const asked = (new URLSearchParams(location.search).get("open") || "").split(",").filter(Boolean);
    const narrow = matchMedia("(max-width: 760px)").matches;
    for (const id of asked.length ? asked : data.first) open(id, false);
    bringToFront(narrow ? "" : (asked[0] || data.first[0] || ""));
    drawPeople();
  }
  begin();
})();
