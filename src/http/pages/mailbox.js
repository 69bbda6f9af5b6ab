// The page at /mailbox. It shows letters and sends none. Whatever a letter holds is shown as text, or in a frame that can run nothing.
const $ = (id) => document.getElementById(id);
const KEY = 'makegood-key';
let next = null;

async function ask(path, key) {
  const answer = await fetch(path, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw Object.assign(new Error(body.detail ?? `The server answered ${answer.status}.`), { status: answer.status });
  return body;
}

function say(text) {
  $('status').textContent = text;
}

function addItem(title, below, open) {
  const button = document.createElement('button');
  button.append(title);
  const small = document.createElement('small');
  small.textContent = below;
  button.append(small);
  button.addEventListener('click', async () => {
    for (const other of $('items').querySelectorAll('[aria-current]')) other.removeAttribute('aria-current');
    button.setAttribute('aria-current', 'true');
    try {
      await open();
    } catch (error) {
      say(error.message);
    }
  });
  const item = document.createElement('li');
  item.append(button);
  $('items').append(item);
  return button;
}

function show({ subject, text, html, head }) {
  $('letter').hidden = false;
  $('subject').textContent = subject;
  $('head').replaceChildren(
    ...head.flatMap(([name, value]) => {
      const [term, description] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }),
  );
  $('html').srcdoc = html;
  $('text').textContent = text;
}

async function showSamples() {
  const { languages, samples } = await ask('/mailbox/samples');
  if ($('language').options.length === 0) {
    for (const { code, name } of languages) $('language').add(new Option(name, code));
  }
  $('items').replaceChildren();
  say('Every letter there is, with invented facts.');
  const language = $('language').value;
  const buttons = samples.map((template) =>
    addItem(template, '', async () => {
      const letter = await ask(`/mailbox/samples/${$('language').value}/${template}`);
      show({ ...letter, head: [['Template', template]] });
    }),
  );
  for (const [index, template] of samples.entries()) {
    ask(`/mailbox/samples/${language}/${template}`).then(
      ({ subject }) => {
        buttons[index].querySelector('small').textContent = subject;
      },
      () => {},
    );
  }
  buttons[0]?.click();
}

async function showLetters(isFirstPage) {
  const key = sessionStorage.getItem(KEY);
  $('key-form').hidden = key !== null;
  if (isFirstPage) {
    next = null;
    $('items').replaceChildren();
    $('letter').hidden = true;
  }
  if (key === null) {
    say('Letters name customers: an API key is needed. It is forgotten when this tab is closed.');
    $('key').focus();
    return;
  }
  try {
    const page = await ask(`/v1/messages?limit=50${next === null ? '' : `&after=${encodeURIComponent(next)}`}`, key);
    next = page.next;
    for (const letter of page.items) {
      const when = new Date(letter.createdAt).toLocaleString();
      addItem(letter.subject ?? letter.template, `${letter.to} · ${letter.status} · ${when}`, () =>
        showLetter(letter.id, key),
      );
    }
    say($('items').children.length === 0 ? 'No letter has been written yet.' : '');
  } catch (error) {
    if (error.status === 401 || error.status === 403) {
      sessionStorage.removeItem(KEY);
      $('key-form').hidden = false;
    }
    say(error.message);
  }
  $('more').hidden = next === null;
}

async function showLetter(id, key) {
  const letter = await ask(`/v1/messages/${id}`, key);
  show({
    ...letter,
    head: [
      ['To', letter.to],
      ['Order', letter.orderId],
      ['Template', letter.template],
      ['Status', [letter.status, letter.response].filter(Boolean).join(': ')],
      ['Message-ID', letter.messageId],
      ['Written', new Date(letter.createdAt).toLocaleString()],
      ['Sent', letter.sentAt === null ? 'not yet' : new Date(letter.sentAt).toLocaleString()],
    ],
  });
}

function choose(tab) {
  const isSamples = tab === 'samples';
  $('tab-samples').setAttribute('aria-selected', String(isSamples));
  $('tab-letters').setAttribute('aria-selected', String(!isSamples));
  $('list').setAttribute('aria-labelledby', `tab-${tab}`);
  $('sample-tools').hidden = !isSamples;
  $('more').hidden = true;
  if (isSamples) $('key-form').hidden = true;
  location.hash = tab;
  (isSamples ? showSamples() : showLetters(true)).catch((error) => say(error.message));
}

function showAs(kind) {
  $('html').hidden = kind !== 'html';
  $('text').hidden = kind !== 'text';
  $('as-html').setAttribute('aria-pressed', String(kind === 'html'));
  $('as-text').setAttribute('aria-pressed', String(kind === 'text'));
}

$('tab-samples').addEventListener('click', () => choose('samples'));
$('tab-letters').addEventListener('click', () => choose('letters'));
$('language').addEventListener('change', () => showSamples().catch((error) => say(error.message)));
$('more').addEventListener('click', () => showLetters(false).catch((error) => say(error.message)));
$('as-html').addEventListener('click', () => showAs('html'));
$('as-text').addEventListener('click', () => showAs('text'));
$('phone').addEventListener('change', ({ target }) => $('html').classList.toggle('phone', target.checked));
$('dark').addEventListener('change', ({ target }) => {
  $('html').style.colorScheme = target.checked ? 'dark' : '';
});
$('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $('key').value.trim());
  $('key').value = '';
  choose('letters');
});
choose(location.hash === '#letters' ? 'letters' : 'samples');
