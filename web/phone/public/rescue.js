/*
 * Gets sealed responses off the phone when the app itself does not work. It needs nothing of the app: no module, no
 * framework, and only what every browser has in which the app could run. It never removes data.
 */
'use strict';

(function () {
  const DATABASE = 'khaosat';
  const SEALED = 'sealed';
  const CACHES = 'khaosat-phone-';
  /** Answered by the server itself, never from the cache. */
  const HEALTH = '/api/v1/health';

  const element = (id) => document.getElementById(id);

  /** Shows a text in both languages. */
  function say(id, vietnamese, english) {
    element(id).textContent = vietnamese;
    element(`${id}-english`).textContent = english;
  }

  /** Opens the database as it is, and makes none where there is none. */
  function openDatabase() {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open(DATABASE);
      opening.onupgradeneeded = () => opening.transaction.abort();
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = (event) => {
        event.preventDefault();
        if (opening.error && opening.error.name === 'AbortError') resolve(null);
        else reject(opening.error);
      };
    });
  }

  /** All sealed entries, in the order of their keys. */
  async function sealedEntries() {
    const database = await openDatabase();
    if (database === null) return [];
    try {
      if (!database.objectStoreNames.contains(SEALED)) return [];
      return await new Promise((resolve, reject) => {
        const reading = database.transaction(SEALED).objectStore(SEALED).getAll();
        reading.onsuccess = () => resolve(reading.result);
        reading.onerror = () => reject(reading.error);
      });
    } finally {
      database.close();
    }
  }

  /** The file: each entry is complete in itself, so they simply follow one another. */
  function fileOf(entries) {
    const date = new Date();
    const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
      .map((number) => String(number).padStart(2, '0'))
      .join('-');
    return new File(entries, `khaosat-rescue-${day}.khaosat`, {
      type: 'application/octet-stream',
    });
  }

  function showCount(entries) {
    const count = entries.length;
    if (count === 0) {
      say(
        'count',
        'Không có phiếu nào chờ gửi trên điện thoại này.',
        'No responses wait to be sent on this phone.',
      );
      return;
    }
    say(
      'count',
      `${count} lần ghi chưa gửi.`,
      `${count} ${count === 1 ? 'visit was' : 'visits were'} not sent.`,
    );
    element('save').disabled = false;
    const file = fileOf(entries);
    if (navigator.canShare && navigator.canShare({ files: [file] }))
      element('share').hidden = false;
  }

  function failed(error) {
    say(
      'count',
      `Không đọc được dữ liệu: ${error}. Hãy đóng các thẻ khác của ứng dụng rồi mở lại trang này.`,
      `The data cannot be read: ${error}. Close all other tabs of the app and open this page again.`,
    );
  }

  async function save() {
    const file = fileOf(await sealedEntries());
    const address = URL.createObjectURL(file);
    const link = document.createElement('a');
    link.href = address;
    link.download = file.name;
    link.click();
    // The browser may still be reading; a minute is enough for every phone.
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }

  async function share() {
    try {
      await navigator.share({ files: [fileOf(await sealedEntries())] });
    } catch (error) {
      // Whoever closes the share sheet has decided so.
      if (error.name !== 'AbortError') failed(error);
    }
  }

  async function serverAnswers() {
    try {
      const answer = await fetch(HEALTH, { cache: 'no-store', redirect: 'error' });
      return answer.ok && (await answer.json()).status === 'ok';
    } catch {
      return false;
    }
  }

  async function reset() {
    say('reset-outcome', 'Đang hỏi máy chủ…', 'Asking the server…');
    // Without the server the old files are better than none.
    if (!(await serverAnswers())) {
      say(
        'reset-outcome',
        'Chưa liên lạc được máy chủ. Hãy vào chỗ có mạng rồi làm lại.',
        'The server cannot be reached. Go where there is a network and do it again.',
      );
      return;
    }
    const registrations = await navigator.serviceWorker.getRegistrations();
    const folder = new URL('./', location.href).href;
    await Promise.all(
      registrations.filter(({ scope }) => scope === folder).map((one) => one.unregister()),
    );
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith(CACHES)).map((name) => caches.delete(name)),
    );
    location.href = './';
  }

  element('save').addEventListener('click', () => save().catch(failed));
  element('share').addEventListener('click', () => share());
  element('reset').addEventListener('click', () =>
    reset().catch((error) => say('reset-outcome', `Lỗi: ${error}`, `Error: ${error}`)),
  );
  sealedEntries().then(showCount, failed);
})();
