import { escapeHtml } from '../../escape-html.js';
import { htmlPage } from './page.js';

/** What the pages behind the links of letters say. `{order}` and `{shop}` are put in. */
interface Words {
  readonly question: string;
  readonly about: string;
  readonly yes: string;
  readonly no: string;
  readonly sayYes: string;
  readonly sayNo: string;
  readonly words: string;
  readonly thanksYes: string;
  readonly thanksNo: string;
  readonly changeToYes: string;
  readonly changeToNo: string;
  readonly stop: string;
  readonly stopAbout: string;
  readonly stopButton: string;
  readonly stopped: string;
  readonly stoppedAbout: string;
  readonly unknown: string;
  readonly unknownAbout: string;
}

const WORDS = {
  en: {
    question: 'Did this make it right?',
    about: 'About order {order} at {shop}.',
    yes: 'Yes, it did',
    no: 'No, it did not',
    sayYes: 'You are about to answer: yes, this made it right.',
    sayNo: 'You are about to answer: no, this did not make it right. A person will look at it next.',
    words: 'What is still not right? You may leave this empty.',
    thanksYes: 'Thank you for telling us.',
    thanksNo: 'Thank you for telling us. A person has your answer and everything that happened, and looks at it next.',
    changeToYes: 'It has been made right since',
    changeToNo: 'It is not right after all',
    stop: 'No more updates on the way?',
    stopAbout:
      'We will no longer write to this address when an order is confirmed, shipped or at risk. When a promise to you breaks, we still say so.',
    stopButton: 'Stop these updates',
    stopped: 'You will get no more of these updates.',
    stoppedAbout: 'When a promise to you breaks, we still write.',
    unknown: 'This link is not one of ours',
    unknownAbout:
      'It may have been cut off on the way. Please reply to the mail it came with: a person reads every answer.',
  },
  de: {
    question: 'Ist es damit für Sie wieder in Ordnung?',
    about: 'Zur Bestellung {order} bei {shop}.',
    yes: 'Ja, in Ordnung',
    no: 'Nein, noch nicht',
    sayYes: 'Ihre Antwort ist: Ja, damit ist es wieder in Ordnung.',
    sayNo: 'Ihre Antwort ist: Nein, damit ist es nicht in Ordnung. Als Nächstes sieht ein Mensch es sich an.',
    words: 'Was stimmt noch nicht? Sie können dieses Feld leer lassen.',
    thanksYes: 'Danke, dass Sie es uns gesagt haben.',
    thanksNo:
      'Danke, dass Sie es uns gesagt haben. Ein Mensch hat jetzt Ihre Antwort und alles, was geschehen ist, und sieht es sich als Nächstes an.',
    changeToYes: 'Inzwischen ist es in Ordnung',
    changeToNo: 'Es ist doch nicht in Ordnung',
    stop: 'Keine Nachrichten mehr über den Versand?',
    stopAbout:
      'Wir schreiben dieser Adresse nicht mehr, wenn eine Bestellung bestätigt, verschickt oder gefährdet ist. Wenn wir ein Versprechen brechen, sagen wir es Ihnen weiterhin.',
    stopButton: 'Diese Nachrichten beenden',
    stopped: 'Sie bekommen diese Nachrichten nicht mehr.',
    stoppedAbout: 'Wenn wir ein Versprechen brechen, schreiben wir Ihnen weiterhin.',
    unknown: 'Dieser Link ist keiner von uns',
    unknownAbout:
      'Vielleicht wurde er unterwegs abgeschnitten. Bitte antworten Sie auf die E-Mail, in der er stand: Ein Mensch liest jede Antwort.',
  },
  es: {
    question: '¿Ha quedado resuelto?',
    about: 'Sobre el pedido {order} en {shop}.',
    yes: 'Sí, resuelto',
    no: 'No, todavía no',
    sayYes: 'Su respuesta es: sí, ha quedado resuelto.',
    sayNo: 'Su respuesta es: no, no ha quedado resuelto. Lo siguiente será que una persona lo revise.',
    words: '¿Qué falta por resolver? Puede dejarlo en blanco.',
    thanksYes: 'Gracias por decírnoslo.',
    thanksNo:
      'Gracias por decírnoslo. Una persona tiene ya su respuesta y todo lo que ha pasado, y lo revisará a continuación.',
    changeToYes: 'Ya ha quedado resuelto',
    changeToNo: 'Al final no ha quedado resuelto',
    stop: '¿No quiere más avisos sobre el envío?',
    stopAbout:
      'Dejaremos de escribir a esta dirección cuando un pedido se confirme, salga o corra riesgo de retraso. Si incumplimos una promesa, se lo seguiremos diciendo.',
    stopButton: 'Dejar de recibir estos avisos',
    stopped: 'No recibirá más avisos de este tipo.',
    stoppedAbout: 'Si incumplimos una promesa, le seguiremos escribiendo.',
    unknown: 'Este enlace no es nuestro',
    unknownAbout:
      'Puede que se haya cortado por el camino. Responda al correo en el que venía: una persona lee todas las respuestas.',
  },
  pt: {
    question: 'Ficou resolvido?',
    about: 'Sobre o pedido {order} em {shop}.',
    yes: 'Sim, ficou',
    no: 'Não, ainda não',
    sayYes: 'A sua resposta é: sim, ficou resolvido.',
    sayNo: 'A sua resposta é: não, não ficou resolvido. A seguir, uma pessoa vai analisar o caso.',
    words: 'O que falta resolver? Este campo pode ficar vazio.',
    thanksYes: 'Obrigado por nos dizer.',
    thanksNo:
      'Obrigado por nos dizer. Uma pessoa já tem a sua resposta e tudo o que aconteceu, e vai analisar o caso a seguir.',
    changeToYes: 'Entretanto ficou resolvido',
    changeToNo: 'Afinal não ficou resolvido',
    stop: 'Não quer mais avisos sobre a entrega?',
    stopAbout:
      'Deixaremos de escrever para este endereço quando um pedido for confirmado, enviado ou estiver em risco de atraso. Se falharmos uma promessa, continuaremos a avisar.',
    stopButton: 'Parar estes avisos',
    stopped: 'Não receberá mais avisos deste tipo.',
    stoppedAbout: 'Se falharmos uma promessa, continuaremos a escrever.',
    unknown: 'Este link não é nosso',
    unknownAbout:
      'Pode ter sido cortado pelo caminho. Responda ao e-mail em que veio: uma pessoa lê todas as respostas.',
  },
} as const satisfies Record<string, Words>;

type Language = keyof typeof WORDS;

/** The language of a page, by a locale such as `de-AT` or the languages that a browser asks for; English where there is no other. */
function pageLanguage(locale: string | null | undefined): Language {
  for (const wanted of (locale ?? '').split(',')) {
    const [language = ''] = wanted.trim().toLowerCase().split(/[-_;]/);
    if (language in WORDS) return language as Language;
  }
  return 'en';
}

export interface AnswerPage {
  readonly locale: string | null;
  readonly orderId: string;
  readonly shopName: string;
}

/** Longer, and it is no answer but a letter: there is the reply for that. */
export const WORDS_LENGTH = 1_000;

/** Before anything is recorded: programs that check links open this page, and only a person presses the button. */
export function answerQuestionPage(page: AnswerPage, answer: 'yes' | 'no'): string {
  const { words, language } = wordsFor(page.locale);
  const more =
    answer === 'no'
      ? `<label for="words">${escapeHtml(words.words)}</label>\n<textarea id="words" name="words" rows="4" maxlength="${WORDS_LENGTH}"></textarea>\n`
      : '';
  const body = `<h1>${escapeHtml(words.question)}</h1>
<p>${about(words, page)}</p>
<p>${escapeHtml(answer === 'yes' ? words.sayYes : words.sayNo)}</p>
<form method="post">
${more}<button name="answer" value="${answer}">${escapeHtml(words[answer])}</button>
</form>`;
  return htmlPage({ language, title: words.question, body });
}

/** After it was recorded, with the way to say otherwise. */
export function answerThanksPage(page: AnswerPage, answer: 'yes' | 'no'): string {
  const { words, language } = wordsFor(page.locale);
  const other = answer === 'yes' ? 'no' : 'yes';
  const body = `<h1>${escapeHtml(answer === 'yes' ? words.thanksYes : words.thanksNo)}</h1>
<p>${about(words, page)}</p>
<form method="post" class="quiet">
<button name="answer" value="${other}">${escapeHtml(other === 'yes' ? words.changeToYes : words.changeToNo)}</button>
</form>`;
  return htmlPage({ language, title: words.question, body });
}

export function unsubscribePage(page: AnswerPage): string {
  const { words, language } = wordsFor(page.locale);
  const body = `<h1>${escapeHtml(words.stop)}</h1>
<p>${escapeHtml(words.stopAbout)}</p>
<form method="post"><button>${escapeHtml(words.stopButton)}</button></form>`;
  return htmlPage({ language, title: words.stop, body });
}

export function unsubscribedPage(page: AnswerPage): string {
  const { words, language } = wordsFor(page.locale);
  const body = `<h1>${escapeHtml(words.stopped)}</h1>
<p>${escapeHtml(words.stoppedAbout)}</p>`;
  return htmlPage({ language, title: words.stopped, body });
}

/** @param languages what the browser asks for (`Accept-Language`) */
export function unknownLinkPage(languages: string | undefined): string {
  const { words, language } = wordsFor(languages);
  const body = `<h1>${escapeHtml(words.unknown)}</h1>
<p>${escapeHtml(words.unknownAbout)}</p>`;
  return htmlPage({ language, title: words.unknown, body });
}

function wordsFor(locale: string | null | undefined): { words: Words; language: Language } {
  const language = pageLanguage(locale);
  return { words: WORDS[language], language };
}

const about = (words: Words, { orderId, shopName }: AnswerPage): string =>
  escapeHtml(words.about.replace('{order}', () => orderId).replace('{shop}', () => shopName));
