/** ODK Web Forms over the form beside it, to be measured. */

import { OdkWebForm, webFormsPlugin } from '@getodk/web-forms';
import { createApp, h } from 'vue';

const answer = await fetch('form.xml');
const properties = {
  formXml: await answer.text(),
  fetchFormAttachment: () => Promise.reject(new Error('the form has no attachments')),
};
createApp({ render: () => h(OdkWebForm, properties) })
  .use(webFormsPlugin)
  .mount('#app');
