// What the @openid4vc libraries ask of their user: cryptography, randomness, resolution of keys. The libraries do the
// protocol and its checks; nothing here relaxes them.
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import * as jose from 'jose'

export async function readInput() {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

export function writeOutput(value) {
  process.stdout.write(JSON.stringify(value))
}

// publicJwk drops the private members.
export const publicJwk = ({ d, ...jwk }) => jwk

export const b64u = (bytes) => Buffer.from(bytes).toString('base64url')

// keyOfDid resolves a DID URL: did:jwk inside itself, did:web over https.
async function keyOfDid(didUrl) {
  const [did] = didUrl.split('#')
  if (did.startsWith('did:jwk:')) return JSON.parse(Buffer.from(did.slice(8), 'base64url').toString())
  if (!did.startsWith('did:web:')) throw new Error(`no resolver for ${did}`)
  const parts = did.slice(8).split(':').map(decodeURIComponent)
  const path = parts.length > 1 ? parts.slice(1).join('/') : '.well-known'
  const answer = await fetch(`https://${parts[0]}/${path}/did.json`)
  if (!answer.ok) throw new Error(`did document: ${answer.status}`)
  const document = await answer.json()
  if (document.id !== did) throw new Error('did document of another DID')
  const method = document.verificationMethod.find((m) => m.id === didUrl)
  if (!method) throw new Error(`no verification method ${didUrl}`)
  return method.publicKeyJwk
}

// keyOfSigner gives the public key behind a signer as the libraries describe it.
async function keyOfSigner(signer, anchors) {
  switch (signer.method) {
    case 'did':
      return keyOfDid(signer.didUrl)
    case 'jwk':
      return signer.publicJwk
    case 'x5c': {
      const chain = signer.x5c.map((c) => new X509Certificate(Buffer.from(c, 'base64')))
      const roots = anchors.map((a) => new X509Certificate(Buffer.from(a, 'base64')))
      const last = chain[chain.length - 1]
      if (!roots.some((r) => last.verify(r.publicKey))) throw new Error('x5c leads to no anchor')
      for (let i = 0; i + 1 < chain.length; i++) if (!chain[i].verify(chain[i + 1].publicKey)) throw new Error('x5c is broken')
      return jose.exportJWK(chain[0].publicKey)
    }
  }
  throw new Error(`signer method ${signer.method}`)
}

// callbacks makes the CallbackContext. keys are private JWKs to sign with, found by thumbprint; anchors are certificates in
// base64 that x5c must lead to.
export async function callbacks({ keys = [], anchors = [], fetch: ownFetch } = {}) {
  const byThumbprint = new Map()
  for (const key of keys) byThumbprint.set(await jose.calculateJwkThumbprint(publicJwk(key)), key)
  return {
    fetch: ownFetch,
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: (n) => randomBytes(n),
    clientAuthentication: () => {},
    getX509CertificateMetadata: (certificate) => {
      const san = new X509Certificate(Buffer.from(certificate, 'base64')).subjectAltName ?? ''
      const of = (kind) => san.split(', ').filter((s) => s.startsWith(kind)).map((s) => s.slice(kind.length))
      return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') }
    },
    signJwt: async (signer, { header, payload }) => {
      const wanted = signer.method === 'did' ? await keyOfDid(signer.didUrl) : signer.publicJwk
      const key = byThumbprint.get(await jose.calculateJwkThumbprint(wanted))
      if (!key) throw new Error('no such key')
      const jwt = await new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(key, signer.alg))
      return { jwt, signerJwk: publicJwk(key) }
    },
    verifyJwt: async (signer, { compact }) => {
      try {
        const jwk = await keyOfSigner(signer, anchors)
        await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg))
        return { verified: true, signerJwk: jwk }
      } catch (error) {
        process.stderr.write(`verifyJwt: ${error}\n`)
        return { verified: false }
      }
    },
    encryptJwe: async (encryptor, data) => {
      const jwk = encryptor.publicJwk
      const encrypt = new jose.CompactEncrypt(Buffer.from(data)).setProtectedHeader({
        alg: encryptor.alg, enc: encryptor.enc, kid: jwk.kid, ...(encryptor.apu && { apu: encryptor.apu }), ...(encryptor.apv && { apv: encryptor.apv }),
      })
      return { jwe: await encrypt.encrypt(await jose.importJWK(jwk, encryptor.alg)), encryptionJwk: jwk }
    },
    decryptJwe: async (jwe, options) => {
      const { kid } = jose.decodeProtectedHeader(jwe)
      for (const key of keys) {
        if (options?.jwk?.kid && key.kid !== options.jwk.kid) continue
        if (kid && key.kid && key.kid !== kid) continue
        try {
          const { plaintext } = await jose.compactDecrypt(jwe, await jose.importJWK(key, 'ECDH-ES'))
          return { decrypted: true, decryptionJwk: publicJwk(key), payload: Buffer.from(plaintext).toString() }
        } catch {}
      }
      return { decrypted: false }
    },
  }
}
