// An identity provider by panva's `oidc-provider`, which is found below the folder that ARGOSY_OIDC_PROVIDER names. Prints its issuer once it
// listens. Lines on standard input: `rotate` signs with a new key and forgets the old one; `announce` publishes a key before it signs, as most
// providers do. Its clock is SHIFT seconds ahead. It answers client credentials alone: programs ask models, people do not.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const shift = Number(process.env.SHIFT ?? 0) * 1000;
const now = Date.now.bind(Date);
Date.now = () => now() + shift;

const require = createRequire(`${process.env.ARGOSY_OIDC_PROVIDER}/package.json`);
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
const { generateKeyPair, exportJWK } = await import(pathToFileURL(require.resolve('jose')));

let made = 0;
const key = async (alg) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `key-${++made}-${alg}` };
};
const fresh = async () => [await key('RS256'), await key('ES256')];

const provider = (issuer, keys) => {
  const made = new Provider(issuer, {
    clients: ['billing', 'shop'].map((client_id) => ({
      client_id,
      client_secret: 'a-secret-for-tests',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    jwks: { keys },
    ttl: { ClientCredentials: 60 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // `urn:argosy:ES256` is the audience `urn:argosy`, signed by that algorithm.
        getResourceServerInfo: (_, resource) => {
          const [, audience, alg] = resource.match(/^(urn:[a-z]+)(?::([A-Z0-9]+))?$/);
          return { scope: 'leaving other', audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: alg ?? 'RS256' } } };
        },
      },
    },
  });
  return made.callback();
};

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  let keys = await fresh();
  answer = provider(issuer, keys);
  console.log(issuer);
  createInterface({ input: process.stdin })
    .on('line', async (line) => {
      const next = await fresh();
      keys = line === 'announce' ? [...keys, ...next] : next;
      answer = provider(issuer, keys);
      console.log(line);
    })
    .on('close', () => process.exit(0));
});
