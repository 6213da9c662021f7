using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway;

/// <summary>The answer to op 8 (protocol/gateway.md section 2).</summary>
internal static class MemberChunks
{
    public const int MaxMembers = 1000;

    /// <summary>Discord's limit of a search.</summary>
    private const int MaxFound = 100;

    /// <summary>It may be answered with all members.</summary>
    public static bool IsLarge(RequestGuildMembers request) => request.UserIds is null && request.Limit is <= 0 or > MaxFound;

    /// <summary>At least one, which may be empty: a client waits for the last.</summary>
    public static IEnumerable<GuildMembersChunk> Of(Guild guild, RequestGuildMembers request)
    {
        var wanted = Wanted(guild, request);
        if (request.Limit > 0) wanted = wanted.Take(request.Limit);
        var chunks = wanted.Chunk(MaxMembers).DefaultIfEmpty([]).ToArray();
        var missing = request.UserIds?.Except(guild.Members.Select(member => member.User.Id)).ToArray() ?? [];
        return chunks.Select((members, index) => new GuildMembersChunk(guild.Id, members, index, chunks.Length) { Nonce = request.Nonce, NotFound = missing });
    }

    private static IEnumerable<Member> Wanted(Guild guild, RequestGuildMembers request)
    {
        if (request.UserIds is { } users) return guild.Members.IntersectBy(users, member => member.User.Id);
        var start = request.Query ?? "";
        return guild.Members.Where(member =>
            (member.Nick ?? member.User.Username).StartsWith(start, StringComparison.OrdinalIgnoreCase)
            || member.User.Username.StartsWith(start, StringComparison.OrdinalIgnoreCase));
    }
}
