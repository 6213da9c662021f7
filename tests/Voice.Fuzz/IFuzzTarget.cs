namespace Voice.Fuzz;

/// <summary>One parser of bytes that strangers send. Whatever the input, it neither throws nor breaks what it promises.</summary>
public interface IFuzzTarget
{
    /// <exception cref="BrokenPromiseException">The parser accepted something it should not have, or read it wrongly.</exception>
    void Run(ReadOnlySpan<byte> input);
}

public sealed class BrokenPromiseException(string promise) : Exception(promise)
{
    public static void Unless(bool kept, string promise)
    {
        if (!kept) throw new BrokenPromiseException(promise);
    }
}

public static class FuzzTargets
{
    /// <summary>By the name of its folder in the corpus.</summary>
    public static readonly IReadOnlyDictionary<string, IFuzzTarget> All = new Dictionary<string, IFuzzTarget>
    {
        ["rtp"] = new RtpTarget(),
        ["rtp-extensions"] = new RtpExtensionsTarget(),
        ["rtcp"] = new RtcpTarget(),
        ["srtp"] = new SrtpTarget(),
        ["discord-udp"] = new DiscordUdpTarget(),
        ["ip-discovery"] = new IpDiscoveryTarget(),
        ["stun"] = new StunTarget(),
        ["voice-message"] = new VoiceMessageTarget(),
        ["sdp-fragment"] = new SdpFragmentTarget(),
        ["ogg-opus"] = new OggOpusTarget(),
        ["server-message"] = new ServerMessageTarget(),
        ["server-sdp"] = new ServerSdpTarget(),
    };

    /// <summary>The kept inputs of a target: seeds, and whatever once broke it.</summary>
    public static IEnumerable<string> Corpus(string name) =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Corpus", name)).Order(StringComparer.Ordinal);
}
