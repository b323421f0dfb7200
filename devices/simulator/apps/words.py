"""The words of the apps. Where the French of a real app is not known, the app shows its English word."""

from __future__ import annotations

from devices.simulator.description import Login

Words = dict[str, tuple[str, ...]]  #: key -> (English, French)

#: Words of other languages, by their English; what is not here stays English. TikTok has a table of its own.
OTHERS: dict[str, dict[str, str]] = {
    "nl": {
        "I already have an account": "Ik heb al een account", "Log in": "Inloggen", "Password": "Wachtwoord",
        "Forgot password?": "Wachtwoord vergeten?", "Not now": "Niet nu", "Edit profile": "Profiel bewerken",
        "followers": "volgers", "following": "volgend",
        "Save your login info?": "Je inloggegevens opslaan?",
    },
    "nl tiktok": {
        "Use phone / email / username": "Telefoonnummer/e-mailadres/gebruikersnaam gebruiken",
    },
    "de": {
        "I already have an account": "Ich habe bereits ein Konto", "Log in": "Anmelden", "Password": "Passwort",
        "Forgot password?": "Passwort vergessen?", "Not now": "Jetzt nicht", "Edit profile": "Profil bearbeiten",
        "posts": "Beiträge",
        "Save your login info?": "Deine Login-Informationen speichern?",
    },
    "de tiktok": {
        "Use phone / email / username": "Telefonnr./E-Mail/Benutzernamen nutzen",
    },
    "es": {
        "I already have an account": "Ya tengo una cuenta", "Log in": "Iniciar sesión", "Password": "Contraseña",
        "Forgot password?": "¿Olvidaste tu contraseña?", "Not now": "Ahora no", "Edit profile": "Editar perfil",
        "posts": "publicaciones", "followers": "seguidores", "following": "seguidos",
        "Save your login info?": "¿Guardar tu información de inicio de sesión?",
    },
    "es tiktok": {
        "Use phone / email / username": "Usar teléfono/correo/nombre de usuario",
    },
    "pt": {
        "I already have an account": "Já tenho uma conta", "Log in": "Entrar", "Password": "Senha",
        "Forgot password?": "Esqueceu a senha?", "Not now": "Agora não", "Edit profile": "Editar perfil",
        "followers": "seguidores", "following": "seguindo",
        "Username, email or mobile number": "Nome de usuário, email ou número de celular",
        "Save your login info?": "Salvar suas informações de login?",
    },
    "pt tiktok": {
        "Use phone / email / username": "Usar telefone/e-mail/nome de usuário",
    },
}  # fmt: skip
JAPANESE = "これは日本語の画面です"  #: whatever the word: nobody reads it

INSTAGRAM: Words = {
    "have_account": ("I already have an account", "J'ai déjà un compte"),
    "have_profile": ("I already have a profile", "J'ai déjà un profil"),
    "create_account": ("Create new account", "Créer un compte"),
    "get_started": ("Get started", "Commencer"),
    "join": ("Join Instagram", "Rejoindre Instagram"),
    "continue": ("Continue", "Continuer"),
    "other_profile": ("Use another profile", "Utiliser un autre profil"),
    "settings": ("Settings", "Paramètres"),
    "language": ("English (US)", "Français (France)"),
    "from_meta": ("Instagram from Meta", "Instagram par Meta"),
    "user_hint": ("Username, email or mobile number", "Nom de profil, e-mail ou numéro de mobile"),
    "password": ("Password", "Mot de passe"),
    "log_in": ("Log in", "Se connecter"),
    "forgot": ("Forgot password?", "Mot de passe oublié ?"),
    "loading": ("Loading…", "Chargement…"),
    "ok": ("OK", "OK"),
    "try_again": ("Try again", "Réessayer"),
    "password_required": ("Password required", "Mot de passe requis"),
    "password_required_text": (
        "Enter your password to continue.",
        "Entrez votre mot de passe pour continuer.",
    ),
    "wrong_title": ("Incorrect password", "Mot de passe incorrect"),
    "wrong_text": (
        "Sorry, your password was incorrect. Please double-check your password.",
        "Votre mot de passe est incorrect. Veuillez vérifier votre mot de passe.",
    ),
    "no_account": ("Can't find account",),
    "no_account_text": ("We couldn't find an account with that username. Try another username or email.",),
    "later": ("Try Again Later", "Réessayer plus tard"),
    "later_text": (
        "We limit how often you can do certain things on Instagram. Please wait a few minutes.",
        "Nous limitons la fréquence de certaines actions. Veuillez patienter quelques minutes.",
    ),
    "totp": ("Go to your authentication app",),
    "totp_text": ("Enter the 6-digit code for this account from your authentication app.",),
    "totp_code": ("Code", "Code"),
    "totp_wrong": ("This code isn't right. Check the code and try again.",),
    "other_way": ("Try another way", "Essayer une autre méthode"),
    "elsewhere": ("Check your notifications on another device",),
    "elsewhere_text": ("Waiting for approval. Approve from the other device to continue.",),
    "choose_way": ("Choose a way to confirm it's you",),
    "way_app": ("Authentication app",),
    "way_app_text": ("Get a code from your authentication app.",),
    "way_sms": ("Text message",),
    "check_email": ("Check your email", "Vérifiez votre e-mail"),
    "code_sent": ("Enter the code we sent to {}", "Entrez le code que nous avons envoyé à {}"),
    "enter_code": ("Enter code", "Entrez le code"),
    "new_code": ("Get a new code", "Recevoir un nouveau code"),
    "suspicious": ("We Detected An Unusual Login Attempt", "Nous avons détecté une connexion inhabituelle"),
    "was_me": ("This Was Me",),
    "was_not_me": ("This Wasn't Me",),
    "human": ("Confirm you're human to use your account",),
    "human_text": ("We suspect automated behavior on your account. Solve the puzzle to go on.",),
    "suspended": ("We suspended your account",),
    "suspended_text": ("You have 180 days left to appeal this decision.",),
    "log_out": ("Log out", "Se déconnecter"),
    "save_title": ("Save your login info?", "Enregistrer vos informations de connexion ?"),
    "save_text": ("We'll save the login info for {}, so you won't need to enter it next time.",),
    "save": ("Save", "Enregistrer"),
    "not_now": ("Not now", "Pas maintenant"),
    "notifications": ("Turn on notifications", "Activer les notifications"),
    "next": ("Next", "Suivant"),
    "skip": ("Skip", "Ignorer"),
    "home": ("Home", "Accueil"),
    "reels": ("Reels", "Reels"),
    "message": ("Message", "Message"),
    "search": ("Search and explore", "Rechercher et explorer"),
    "profile": ("Profile", "Profil"),
    "edit_profile": ("Edit profile", "Modifier le profil"),
    "share_profile": ("Share profile", "Partager le profil"),
    "options": ("Options", "Options"),
    "posts": ("posts", "publications"),
    "followers": ("followers", "followers"),
    "following": ("following", "suivi(e)s"),
    "story": ("{}'s story, 0 of 27, Unseen.",),
    "add_account": ("Add Instagram account", "Ajouter un compte Instagram"),
    "accounts_center": ("Go to Accounts Center", "Accéder à l'Espace Comptes"),
    "cancel": ("Cancel", "Annuler"),
    "sms": ("Check your SMS",),
    "sms_text": ("We sent a code to your phone number.",),
    "confirm_you": ("Help us confirm it's you",),
    "confirm_you_text": ("Choose how you want to prove who you are.",),
    "locked": ("We locked your account to protect you",),
    "logged_out": ("You've been logged out",),
    "logged_out_text": ("Please log back in.",),
    "update_title": ("Update Instagram", "Mettre à jour Instagram"),
    "update_text": ("Get the latest version of the app.",),
    "update": ("Update",),
    "update_later": ("Not now", "Pas maintenant"),
    "offline": ("No internet connection",),
    "offline_text": ("Check your internet connection and try again.",),
    "contacts": ("Find people to follow",),
    "survey": ("How do you feel about what you saw today?",),
    "survey_good": ("Great",),
    "sheet_title": ("Add account", "Ajouter un compte"),
    "log_into": ("Log into existing account", "Se connecter à un compte existant"),
}

TIKTOK: Words = {
    "home": ("Home", "Accueil"),
    "friends": ("Friends", "Amis"),
    "create": ("Create", "Créer"),
    "inbox": ("Inbox", "Messages"),
    "profile": ("Profile", "Profil"),
    "for_you": ("For You", "Pour toi"),
    "following_feed": ("Following", "Suivis"),
    "log_in": ("Log in", "Se connecter"),
    "sign_up": ("Sign up", "S'inscrire"),
    "sign_up_for": ("Sign up for an account", "Inscription"),
    "signup_title": ("Sign up for TikTok", "Inscription à TikTok"),
    "phone_or_email": ("Use phone or email", "Utiliser un téléphone ou un e-mail"),
    "have_account": ("Already have an account? Log in", "Tu as déjà un compte ? Se connecter"),
    "login_title": ("Log in to TikTok", "Se connecter à TikTok"),
    "phone_email_name": ("Use phone / email / username", "Utiliser téléphone/e-mail/nom d'utilisateur"),
    "with_facebook": ("Continue with Facebook", "Continuer avec Facebook"),
    "with_google": ("Continue with Google", "Continuer avec Google"),
    "no_account": ("Don't have an account? Sign up", "Tu n'as pas de compte ? S'inscrire"),
    "phone_tab": ("Phone", "Téléphone"),
    "email_tab": ("Email / Username", "E-mail/nom d'utilisateur"),
    "phone_hint": ("Phone number", "Numéro de téléphone"),
    "email_hint": ("Email or username", "E-mail ou nom d'utilisateur"),
    "save_box": (
        "Save login info to log in automatically next time.",
        "Enregistrer les informations de connexion.",
    ),
    "continue": ("Continue", "Continuer"),
    "back": ("Back to previous screen", "Retour à l'écran précédent"),
    "report": ("Report a problem", "Signaler un problème"),
    "enter_password": ("Enter password", "Mot de passe"),
    "password": ("Password", "Mot de passe"),
    "forgot": ("Forgot password?", "Mot de passe oublié ?"),
    "wrong": ("Incorrect account or password",),
    "unregistered": ("Email address isn't registered yet",),
    "maximum": ("Maximum number of attempts reached. Try again later.",),
    "captcha": ("Verify to continue",),
    "captcha_text": ("Drag the slider to fit the puzzle",),
    "code_title": ("Enter 6-digit code",),
    "code_sent": ("Your code was emailed to {}",),
    "code_app": ("Enter the code from your authenticator app",),
    "code_wrong": ("Incorrect code",),
    "resend": ("Resend code", "Renvoyer un code"),
    "verify": ("Verify identity",),
    "verify_text": ("Confirm if it's you trying to log in",),
    "banned": ("This account was banned due to multiple Community Guidelines violations.",),
    "ok": ("OK", "OK"),
    "save_title": ("Save login info?",),
    "save_text": ("You won't need to enter your login info the next time you log in.",),
    "save": ("Save", "Enregistrer"),
    "not_now": ("Not now", "Pas maintenant"),
    "add_story": ("Create a Story", "Créer une Story"),
    "photo": ("Profile photo", "Photo de profil"),
    "menu": ("Profile menu", "Menu du profil"),
    "edit": ("Edit profile", "Modifier le profil"),
    "studio": ("TikTok Studio", "TikTok Studio"),
    "videos": ("Videos", "Vidéos"),
    "following": ("Following", "Suivis"),
    "followers": ("Followers", "Followers"),
    "likes": ("Likes", "J'aime"),
    "sheet": ("Bottom sheet",),
    "switch": ("Switch account", "Changer de compte"),
    "add_account": ("Add account", "Ajouter un compte"),
    "terms_title": ("Terms of Service and Privacy Policy",),
    "terms": ("Agree and continue",),
    "code_by_sms": ("An SMS with your code was sent to {}",),
    "birthday": ("When's your birthday?",),
    "logged_out": ("Your account was logged out",),
    "logged_out_text": ("Try logging in again.",),
    "update_title": ("TikTok update is here",),
    "update_text": ("There is a new version of the app.",),
    "update": ("Update now",),
    "update_later": ("Not now",),
    "offline": ("No internet connection",),
    "offline_text": ("Connect to the internet and try again.",),
    "try_again": ("Retry",),
    "contacts": ("Find contacts",),
    "next": ("OK", "OK"),
    "skip": ("Skip", "Passer"),
    "survey": ("How do you feel about what you saw today?",),
    "survey_good": ("Great",),
    "friend_count": ("Friends", "Amis"),
}

ANDROID: Words = {
    "back": ("Back", "Retour"),
    "home": ("Home", "Accueil"),
    "overview": ("Overview", "Aperçu"),
    "battery": ("Battery {} percent.", "Batterie : {} %."),
    "permission": ("Allow {} to send you notifications?", "Autoriser {} à vous envoyer des notifications ?"),
    "allow": ("Allow", "Autoriser"),
    "deny": ("Don’t allow", "Ne pas autoriser"),
    "stopping": ("{} keeps stopping", "{} s'arrête systématiquement"),
    "app_info": ("App info", "Infos sur l'appli"),
    "close_app": ("Close app", "Fermer l'appli"),
    "restart": ("Open app again", "Rouvrir l'appli"),
    "hanging": ("{} isn't responding", "{} ne répond pas"),
    "wait": ("Wait", "Attendre"),
    "save_password": ("Save password for {}?", "Enregistrer le mot de passe pour {} ?"),
    "no_thanks": ("No thanks", "Non merci"),
    "save": ("Save", "Enregistrer"),
    "swipe": ("Swipe up to unlock", "Balayez vers le haut pour déverrouiller"),
}


def say(words: Words, language: str, key: str, *values: object) -> str:
    """The word in this language, with `values` filled in."""
    known = words[key]
    if language == "ja" and words is not ANDROID:
        return JAPANESE
    if language in OTHERS:
        table = OTHERS[f"{language} tiktok" if words is TIKTOK else language]
        return table.get(known[0], known[0]).format(*values)
    return known[1 if language == "fr" and len(known) > 1 else 0].format(*values)


#: language -> what stands between thousands, the decimal mark, and from which number on which unit is written.
NUMBERS: dict[str, tuple[str, str, tuple[tuple[int, int, str], ...]]] = {
    "en": (",", ".", ((1_000_000, 1_000_000, "M"), (10_000, 1_000, "K"))),
    "fr": ("\u202f", ",", ((1_000_000, 1_000_000, "\u00a0M"), (10_000, 1_000, "\u00a0k"))),
    "nl": (".", ",", ((1_000_000, 1_000_000, "\u00a0mln."), (10_000, 1_000, "K"))),
    "de": (".", ",", ((1_000_000, 1_000_000, "\u00a0Mio."),)),
    "es": (".", ",", ((1_000_000, 1_000_000, "\u00a0M"), (10_000, 1_000, "\u00a0mil"))),
    "pt": (".", ",", ((1_000_000, 1_000_000, "\u00a0mi"), (10_000, 1_000, "\u00a0mil"))),
    "ja": (",", ".", ((10_000, 10_000, "万"),)),
}


def short_count(value: int, language: str) -> str:
    """A number as the apps show it: `1,234`, `12.3K`, and in French `1 234`, `12,3 k`."""
    between, mark, units = NUMBERS[language]
    for limit, unit, symbol in units:
        if value >= limit:
            tenths = value * 10 // unit
            text = f"{tenths // 10}.{tenths % 10}".removesuffix(".0")
            return text.replace(".", mark) + symbol
    return f"{value:,}".replace(",", between)


def masked(login: Login) -> str:
    """The e-mail as a service hints at it: `a*****a@demo.example`."""
    name, _, host = (login.email or f"{login.username}@mail.example").partition("@")
    return f"{name[:1]}*****{name[-1:]}@{host}"
